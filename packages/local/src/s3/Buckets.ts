/** The rows of buckets: pure database access, no protocol. */
import type { DatabaseSync } from "node:sqlite";
import { Schema } from "effect";
import { allRows, firstRow, run } from "./sql.ts";
import { endOfPrefix } from "./walkKeys.ts";
import { BucketRow } from "./S3Tables.ts";

export const findBucket = (database: DatabaseSync, name: string): BucketRow | undefined =>
  firstRow(database, BucketRow, "SELECT * FROM s3_buckets WHERE name = ?", name);

export const listBuckets = (
  database: DatabaseSync,
  page: { readonly prefix: string; readonly after: string; readonly limit: number },
): ReadonlyArray<BucketRow> =>
  allRows(
    database,
    BucketRow,
    "SELECT * FROM s3_buckets WHERE name > ? AND name >= ? AND name <= ? ORDER BY name LIMIT ?",
    page.after,
    page.prefix,
    endOfPrefix(page.prefix),
    page.limit,
  );

export const insertBucket = (database: DatabaseSync, name: string, createdMs: number): void =>
  run(database, "INSERT INTO s3_buckets (name, createdMs) VALUES (?, ?)", name, createdMs);

export const deleteBucketRow = (database: DatabaseSync, name: string): void =>
  run(database, "DELETE FROM s3_buckets WHERE name = ?", name);

export const setVersioning = (
  database: DatabaseSync,
  name: string,
  versioning: "Enabled" | "Suspended",
): void => run(database, "UPDATE s3_buckets SET versioning = ? WHERE name = ?", versioning, name);

export const setEventBridge = (database: DatabaseSync, name: string, on: boolean): void =>
  run(database, "UPDATE s3_buckets SET eventBridge = ? WHERE name = ?", on ? 1 : 0, name);

export const setCors = (database: DatabaseSync, name: string, cors: string | null): void =>
  run(database, "UPDATE s3_buckets SET cors = ? WHERE name = ?", cors, name);

const Found = Schema.Struct({ found: Schema.Int });

/**
 * A bucket with versions or markers cannot be deleted. Unfinished uploads do not keep it: only of directory buckets
 * does the S3 API reference (DeleteBucket) ask that they are aborted first.
 */
export const isBucketEmpty = (database: DatabaseSync, name: string): boolean =>
  firstRow(
    database,
    Found,
    "SELECT EXISTS (SELECT 1 FROM s3_versions WHERE bucket = ?1) AS found",
    name,
  )?.found === 0;
