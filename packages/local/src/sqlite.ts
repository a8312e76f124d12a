/**
 * Small helpers around `node:sqlite` that the services of the embedded AWS share: one transaction, and typed reading
 * of columns. Statements run synchronously, so a transaction is never interleaved with another fiber's.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";

/** A row as the driver gives it. */
export type Row = Record<string, SQLOutputValue>;

/** Runs `work` in one transaction, or in the one that is already open; any throw rolls it back. */
export const transaction = <A>(database: DatabaseSync, work: () => A): A => {
  if (database.isTransaction) return work();
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
};

export const textOf = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === "string" ? value : "";
};

export const numberOf = (row: Row, column: string): number => Number(row[column] ?? 0);

export const optionalText = (row: Row, column: string): string | undefined => {
  const value = row[column];
  return typeof value === "string" ? value : undefined;
};

export const optionalNumber = (row: Row, column: string): number | undefined => {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
};
