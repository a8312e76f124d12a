/**
 * The queues: kept in memory, written through to SQLite, read back when the process starts.
 */
import { Option, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { numberOf, textOf } from "../sqlite.ts";
import type { QueueSettings } from "./QueueSettings.ts";

export interface Queue {
  readonly name: string;
  readonly settings: QueueSettings;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly purgedMs: number | undefined;
}

const schema = `
  CREATE TABLE IF NOT EXISTS sqs_queues (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sqs_deleted_queues (name TEXT PRIMARY KEY, deleted_ms INTEGER NOT NULL) STRICT;`;

const Texts = Schema.Record(Schema.String, Schema.String);
const Document = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    settings: Texts,
    tags: Texts,
    createdMs: Schema.Finite,
    modifiedMs: Schema.Finite,
    purgedMs: Schema.UndefinedOr(Schema.Finite).pipe(Schema.optionalKey),
  }),
);

export class QueueStore {
  readonly #database: DatabaseSync;
  readonly #queues = new Map<string, Queue>();

  constructor(database: DatabaseSync) {
    database.exec(schema);
    this.#database = database;
    for (const row of database.prepare("SELECT document FROM sqs_queues").all()) {
      const queue = Schema.decodeOption(Document)(textOf(row, "document"));
      if (Option.isSome(queue)) {
        this.#queues.set(queue.value.name, { ...queue.value, purgedMs: queue.value.purgedMs });
      }
    }
  }

  get(name: string): Queue | undefined {
    return this.#queues.get(name);
  }

  /** All queues, ordered by name. */
  all(): ReadonlyArray<Queue> {
    return [...this.#queues.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  put(queue: Queue): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO sqs_queues (name, document) VALUES (?, ?)")
      .run(queue.name, JSON.stringify(queue));
    this.#queues.set(queue.name, queue);
  }

  delete(name: string, nowMs: number): void {
    this.#database.prepare("DELETE FROM sqs_queues WHERE name = ?").run(name);
    this.#database
      .prepare("INSERT OR REPLACE INTO sqs_deleted_queues (name, deleted_ms) VALUES (?, ?)")
      .run(name, nowMs);
    this.#queues.delete(name);
  }

  deletedMs(name: string): number | undefined {
    const row = this.#database
      .prepare("SELECT deleted_ms FROM sqs_deleted_queues WHERE name = ?")
      .get(name);
    return row === undefined ? undefined : numberOf(row, "deleted_ms");
  }
}
