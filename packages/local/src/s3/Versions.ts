/**
 * The versions of objects: pure database access that keeps S3's versioning rules.
 *
 * A change gives back the rows it replaced, whose files the caller removes once the transaction has committed.
 */
import { Schema } from "effect";
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { ObjectMeta } from "./objectMeta.ts";
import { allRows, firstRow, run } from "./sql.ts";
import { type BucketRow, type StoredFile, VersionRow } from "./S3Tables.ts";
import type { Tag } from "./tags.ts";

/** What a new version consists of. */
export interface NewVersion {
  readonly key: string;
  readonly modifiedMs: number;
  readonly size: number;
  readonly etag: string;
  readonly meta: ObjectMeta;
  readonly tags: ReadonlyArray<Tag>;
  readonly body: ReadonlyArray<StoredFile>;
  readonly multipart: boolean;
  readonly isMarker: boolean;
}

/** The version id of objects written without versioning. */
export const nullVersionId = "null";

export const findLatest = (
  database: DatabaseSync,
  bucket: string,
  key: string,
): VersionRow | undefined =>
  firstRow(
    database,
    VersionRow,
    "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? AND isLatest = 1",
    bucket,
    key,
  );

export const findVersion = (
  database: DatabaseSync,
  bucket: string,
  key: string,
  versionId: string,
): VersionRow | undefined =>
  firstRow(
    database,
    VersionRow,
    "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? AND versionId = ?",
    bucket,
    key,
    versionId,
  );

/** Adds a version as the newest. Without enabled versioning it takes the place of the `null` version. */
export const insertVersion = (
  database: DatabaseSync,
  bucket: BucketRow,
  version: NewVersion,
): { readonly versionId: string; readonly replaced: ReadonlyArray<VersionRow> } => {
  const versionId =
    bucket.versioning === "Enabled" ? randomBytes(24).toString("base64url") : nullVersionId;
  const old =
    versionId === nullVersionId
      ? findVersion(database, bucket.name, version.key, nullVersionId)
      : undefined;
  if (old !== undefined) run(database, "DELETE FROM s3_versions WHERE seq = ?", old.seq);
  run(
    database,
    "UPDATE s3_versions SET isLatest = 0 WHERE bucket = ? AND key = ? AND isLatest = 1",
    bucket.name,
    version.key,
  );
  run(
    database,
    `INSERT INTO s3_versions
       (bucket, key, versionId, isMarker, isLatest, modifiedMs, size, etag, meta, tags, body, multipart)
     VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
    bucket.name,
    version.key,
    versionId,
    version.isMarker ? 1 : 0,
    version.modifiedMs,
    version.size,
    version.etag,
    JSON.stringify(version.meta),
    JSON.stringify(version.tags),
    JSON.stringify(version.body),
    version.multipart ? 1 : 0,
  );
  return { versionId, replaced: old === undefined ? [] : [old] };
};

/** Removes one version for good; the one before it becomes the newest. */
export const removeVersion = (database: DatabaseSync, version: VersionRow): void => {
  run(database, "DELETE FROM s3_versions WHERE seq = ?", version.seq);
  if (version.isLatest === 0) return;
  run(
    database,
    `UPDATE s3_versions SET isLatest = 1 WHERE seq =
       (SELECT max(seq) FROM s3_versions WHERE bucket = ? AND key = ?)`,
    version.bucket,
    version.key,
  );
};

export const setTags = (database: DatabaseSync, seq: number, tags: ReadonlyArray<Tag>): void =>
  run(database, "UPDATE s3_versions SET tags = ? WHERE seq = ?", JSON.stringify(tags), seq);

const File = Schema.Struct({ file: Schema.String });

/** The names of all files that versions and parts point to. */
export const knownFiles = (database: DatabaseSync): ReadonlySet<string> =>
  new Set(
    allRows(
      database,
      File,
      `SELECT json_extract(entry.value, '$.file') AS file FROM s3_versions, json_each(s3_versions.body) AS entry
       UNION ALL SELECT file FROM s3_parts`,
    ).map(({ file }) => file),
  );

const Sequence = Schema.Struct({ value: Schema.Int });

/** The next sequencer: a hexadecimal text that grows with every change. */
export const nextSequencer = (database: DatabaseSync): string => {
  const row = firstRow(
    database,
    Sequence,
    "UPDATE s3_sequence SET value = value + 1 WHERE id = 1 RETURNING value",
  );
  return (row?.value ?? 0).toString(16).toUpperCase().padStart(18, "0");
};
