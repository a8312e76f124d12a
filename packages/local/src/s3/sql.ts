/** Typed access to `node:sqlite`: rows pass a schema, changes pass a transaction. */
import { Schema } from "effect";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";

/** All rows of a query; a row of another shape is a defect of ours and throws. */
export const allRows = <A, I>(
  database: DatabaseSync,
  schema: Schema.Codec<A, I>,
  sql: string,
  ...values: ReadonlyArray<SQLInputValue>
): ReadonlyArray<A> => {
  const decode = Schema.decodeUnknownSync(schema);
  return database
    .prepare(sql)
    .all(...values)
    .map((row) => decode(row));
};

/** The first row of a query. */
export const firstRow = <A, I>(
  database: DatabaseSync,
  schema: Schema.Codec<A, I>,
  sql: string,
  ...values: ReadonlyArray<SQLInputValue>
): A | undefined => {
  const row = database.prepare(sql).get(...values);
  return row === undefined ? undefined : Schema.decodeUnknownSync(schema)(row);
};

/** Runs a statement. */
export const run = (
  database: DatabaseSync,
  sql: string,
  ...values: ReadonlyArray<SQLInputValue>
): void => {
  database.prepare(sql).run(...values);
};

/** All or nothing; the body is synchronous, so nothing of another request comes in between. */
export const transaction = <A>(database: DatabaseSync, body: () => A): A => {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = body();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
};
