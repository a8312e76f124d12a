/**
 * DuckDB in this process, loaded only where it is used: it is an optional part of an installation.
 *
 * It has one thread: rows keep their order, and a second would cost more processor time, not less.
 */
import type * as DuckDbApi from "@duckdb/node-api";
import { Effect, Schema } from "effect";
import { parseTimestamp, type SlashDates } from "../csv/Timestamp.ts";
import { makeTemporaryFolder } from "../makeTemporaryFolder.ts";

/** DuckDB is not there, or did not do what it was asked. The stream engine does the same work. */
export class DuckDbFailed extends Schema.TaggedError<DuckDbFailed>()("DuckDbFailed", {
  operation: Schema.String,
  cause: Schema.Defect(),
}) {
  readonly failureClass = "transient";
  override get message(): string {
    return `DuckDB failed to ${this.operation}: ${String(this.cause)}. The stream engine takes the file instead`;
  }
}

/** How much DuckDB may take. */
export interface DuckDbLimits {
  /** @default 200 MB; what it needs beyond goes to the temporary folder */
  readonly memoryMb?: number | undefined;
}

/** The function that reads a date of any form, of a column: milliseconds, or null. */
export const readDate = "millrace_date";

const attempt = <A>(operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new DuckDbFailed({ operation, cause }) });

const defineReadDate = (
  api: typeof DuckDbApi,
  slashDates: SlashDates,
  onUnreadDate: (column: number) => void,
) =>
  api.DuckDBScalarFunction.create({
    name: readDate,
    returnType: api.BIGINT,
    parameterTypes: [api.VARCHAR, api.INTEGER],
    // It counts, so it is asked once for each row, whatever its arguments.
    volatile: true,
    mainFunction: (_info, input, output) => {
      const [texts, columns] = [input.getColumnVector(0), input.getColumnVector(1)];
      if (output instanceof api.DuckDBBigIntVector && columns instanceof api.DuckDBIntegerVector)
        for (let row = 0; row < input.rowCount; row += 1) {
          const text: unknown = texts.getItem(row);
          const epochMs = typeof text === "string" ? parseTimestamp(text, slashDates) : null;
          if (epochMs === null) onUnreadDate(columns.getItem(row) ?? 0);
          output.setItem(row, epochMs === null ? null : BigInt(epochMs));
        }
      output.flush();
    },
  });

const rowsOf = (connection: DuckDbApi.DuckDBConnection) => (operation: string, sql: string) =>
  Effect.map(
    attempt(operation, () => connection.runAndReadAll(sql)),
    (reader) => reader.getRowObjectsJson(),
  );

/** Opens DuckDB with a folder of its own; both go with the scope. It tells of each date that is none, by its column. */
export const openDuckDb = Effect.fnUntraced(function* (
  { memoryMb = 200 }: DuckDbLimits,
  slashDates: SlashDates,
  onUnreadDate: (column: number) => void,
) {
  const folder = yield* makeTemporaryFolder(
    "millrace-duckdb-",
    (cause) => new DuckDbFailed({ operation: "make its folder", cause }),
  );
  const api = yield* attempt("load", () => import("@duckdb/node-api"));
  const instance = yield* Effect.acquireRelease(
    attempt("open", () =>
      api.DuckDBInstance.create(":memory:", {
        threads: "1",
        memory_limit: `${memoryMb}MB`,
        temp_directory: folder,
        // With one thread rows keep their order; to assure it takes memory for whole row groups.
        preserve_insertion_order: "false",
        // Nothing is ever fetched at run time.
        autoinstall_known_extensions: "false",
      }),
    ),
    (instance) => Effect.sync(() => instance.closeSync()),
  );
  const connection = yield* Effect.acquireRelease(
    attempt("connect", () => instance.connect()),
    (connection) => Effect.sync(() => connection.closeSync()),
  );
  yield* attempt("set the time zone", () => connection.run("SET TimeZone = 'UTC'"));
  connection.registerScalarFunction(defineReadDate(api, slashDates, onUnreadDate));
  return {
    folder,
    /** Starts a query, and gives it at once. */
    start: (sql: string): Promise<unknown> => connection.run(sql),
    interrupt: () => connection.interrupt(),
    rows: rowsOf(connection),
  };
});

/** An open DuckDB. */
export type DuckDb = Effect.Success<ReturnType<typeof openDuckDb>>;
