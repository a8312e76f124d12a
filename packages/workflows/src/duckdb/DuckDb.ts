/**
 * DuckDB in this process, loaded only where it is used: it is an optional part of an installation.
 *
 * It has one thread: rows keep their order, and pipes are read one by one.
 */
import type * as DuckDbApi from "@duckdb/node-api";
import { Effect, Schema } from "effect";
import { parseTimestamp, type SlashDates } from "../csv/Timestamp.ts";
import { makeTemporaryFolder } from "../makeTemporaryFolder.ts";
import type { RowKeeper } from "./RowKeeper.ts";

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

/** The function that says which rows are kept: of flags and three words of hash. */
export const keepRow = "millrace_keep";

/** The function that reads a date of any form: milliseconds, or null. */
export const readDate = "millrace_date";

const attempt = <A>(operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new DuckDbFailed({ operation, cause }) });

const defineKeepRow = (api: typeof DuckDbApi, keeper: RowKeeper) =>
  api.DuckDBScalarFunction.create({
    name: keepRow,
    returnType: api.UTINYINT,
    parameterTypes: [api.UINTEGER, api.UINTEGER, api.UINTEGER, api.UINTEGER],
    // It is asked for each row in turn, whatever its arguments.
    volatile: true,
    mainFunction: (_info, input, output) => {
      const [flags, one, two, three] = [0, 1, 2, 3].map((column) => input.getColumnVector(column));
      if (
        flags instanceof api.DuckDBUIntegerVector &&
        one instanceof api.DuckDBUIntegerVector &&
        two instanceof api.DuckDBUIntegerVector &&
        three instanceof api.DuckDBUIntegerVector &&
        output instanceof api.DuckDBUTinyIntVector
      )
        keeper.look({ rows: input.rowCount, flags, hashes: [one, two, three] }, (row, kept) =>
          output.setItem(row, kept),
        );
      output.flush();
    },
  });

const defineReadDate = (api: typeof DuckDbApi, slashDates: SlashDates) =>
  api.DuckDBScalarFunction.create({
    name: readDate,
    returnType: api.BIGINT,
    parameterTypes: [api.VARCHAR],
    mainFunction: (_info, input, output) => {
      const texts = input.getColumnVector(0);
      if (output instanceof api.DuckDBBigIntVector)
        for (let row = 0; row < input.rowCount; row += 1) {
          const text: unknown = texts.getItem(row);
          const epochMs = typeof text === "string" ? parseTimestamp(text, slashDates) : null;
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

/** Opens DuckDB with a folder of its own; both go with the scope. */
export const openDuckDb = Effect.fnUntraced(function* (
  { memoryMb = 200 }: DuckDbLimits,
  keeper: RowKeeper,
  slashDates: SlashDates,
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
  connection.registerScalarFunction(defineKeepRow(api, keeper));
  connection.registerScalarFunction(defineReadDate(api, slashDates));
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
