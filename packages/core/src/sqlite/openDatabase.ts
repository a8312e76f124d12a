/**
 * A database file as every store here wants it: what was answered survives a power cut, and readers do not wait.
 */
import { Effect, type Scope } from "effect";
import { DatabaseSync } from "node:sqlite";
import { attempt } from "./SqliteFailure.ts";

/** Opens (and creates) `file`, runs the schema's statements, and closes it with the scope. One that does not open is a defect. */
export const openDatabase = (
  file: string,
  schema: string,
): Effect.Effect<DatabaseSync, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.orDie(attempt(() => open(file, schema))), (database) =>
    Effect.sync(() => database.close()),
  );

const open = (file: string, schema: string): DatabaseSync => {
  const database = new DatabaseSync(file);
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};
