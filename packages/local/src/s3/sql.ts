/** Typed access to `node:sqlite`: rows pass a schema, changes pass a transaction. */
import { Schema } from "effect";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/**
 * Statements by their text, which comes from a fixed set: values are always bound. Prepared anew for each request they
 * would take as long as their execution, and hold memory that the garbage collector does not know of.
 */
const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

const prepared = (database: DatabaseSync, sql: string): StatementSync => {
  const known = statements.get(database) ?? new Map<string, StatementSync>();
  statements.set(database, known);
  const statement = known.get(sql) ?? database.prepare(sql);
  known.set(sql, statement);
  return statement;
};

/** All rows of a query; a row of another shape is a defect of ours and throws. */
export const allRows = <A, I>(
  database: DatabaseSync,
  schema: Schema.Codec<A, I>,
  sql: string,
  ...values: ReadonlyArray<SQLInputValue>
): ReadonlyArray<A> => {
  const decode = Schema.decodeUnknownSync(schema);
  return prepared(database, sql)
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
  const row = prepared(database, sql).get(...values);
  return row === undefined ? undefined : Schema.decodeUnknownSync(schema)(row);
};

/** Runs a statement. */
export const run = (
  database: DatabaseSync,
  sql: string,
  ...values: ReadonlyArray<SQLInputValue>
): void => {
  prepared(database, sql).run(...values);
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
