/**
 * A small keyed collection of one kind: kept in memory, written through to SQLite, read back when the process starts.
 */
import { Option, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { textOf } from "./sqlite.ts";

export class Documents<A> {
  readonly #database: DatabaseSync;
  readonly #table: string;
  readonly #kind: string;
  readonly #encode: (value: A) => string;
  readonly #values = new Map<string, A>();
  #sorted: ReadonlyArray<A> | undefined;

  /** Documents that the schema no longer reads are left alone in the database and not shown. */
  constructor(
    database: DatabaseSync,
    {
      table,
      kind,
    }: {
      readonly table:
        | "ecs_documents"
        | "events_documents"
        | "glue_documents"
        | "scheduler_documents"
        | "sns_documents"
        | "ssm_documents";
      readonly kind: string;
    },
    schema: Schema.Codec<A, unknown>,
  ) {
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (kind TEXT, key TEXT, document TEXT NOT NULL, PRIMARY KEY (kind, key)) STRICT`,
    );
    const json = Schema.fromJsonString(schema);
    const decode = Schema.decodeOption(json);
    this.#database = database;
    this.#table = table;
    this.#kind = kind;
    this.#encode = Schema.encodeSync(json);
    const rows = database.prepare(`SELECT key, document FROM ${table} WHERE kind = ?`);
    for (const row of rows.all(kind)) {
      const value = decode(textOf(row, "document"));
      if (Option.isSome(value)) this.#values.set(textOf(row, "key"), value.value);
    }
  }

  get(key: string): A | undefined {
    return this.#values.get(key);
  }

  /** Everything, ordered by key. */
  all(): ReadonlyArray<A> {
    this.#sorted ??= [...this.#values]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([, value]) => value);
    return this.#sorted;
  }

  /** Everything, in no order: cheaper after a change. */
  unordered(): Iterable<A> {
    return this.#values.values();
  }

  put(key: string, value: A): void {
    this.#database
      .prepare(`INSERT OR REPLACE INTO ${this.#table} (kind, key, document) VALUES (?, ?, ?)`)
      .run(this.#kind, key, this.#encode(value));
    this.#values.set(key, value);
    this.#sorted = undefined;
  }

  delete(key: string): void {
    this.#database
      .prepare(`DELETE FROM ${this.#table} WHERE kind = ? AND key = ?`)
      .run(this.#kind, key);
    this.#values.delete(key);
    this.#sorted = undefined;
  }
}
