/**
 * DuckDB in this process, loaded only where it is used: it is an optional part of an installation.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { Effect, FileSystem, Schema } from "effect";

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
  /** @default 1 */
  readonly threads?: number | undefined;
}

const attempt = <A>(operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new DuckDbFailed({ operation, cause }) });

/** Opens DuckDB with a folder of its own; both go with the scope. */
export const openDuckDb = Effect.fnUntraced(function* ({
  memoryMb = 200,
  threads = 1,
}: DuckDbLimits) {
  const fileSystem = yield* FileSystem.FileSystem;
  const folder = yield* fileSystem
    .makeTempDirectoryScoped({ prefix: "millrace-duckdb-" })
    .pipe(Effect.mapError((cause) => new DuckDbFailed({ operation: "make its folder", cause })));
  const { DuckDBInstance } = yield* attempt("load", () => import("@duckdb/node-api"));
  const instance = yield* Effect.acquireRelease(
    attempt("open", () =>
      DuckDBInstance.create(":memory:", {
        threads: String(threads),
        memory_limit: `${memoryMb}MB`,
        temp_directory: folder,
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
  const run = (operation: string, sql: string) => attempt(operation, () => connection.run(sql));
  yield* run("set the time zone", "SET TimeZone = 'UTC'");
  return { folder, run, rows: rowsOf(connection) };
});

const rowsOf = (connection: DuckDBConnection) => (operation: string, sql: string) =>
  Effect.map(
    attempt(operation, () => connection.runAndReadAll(sql)),
    (reader) => reader.getRowObjectsJson(),
  );

/** An open DuckDB. */
export type DuckDb = Effect.Success<ReturnType<typeof openDuckDb>>;
