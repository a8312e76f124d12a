/**
 * The tables of S3 in the shared database, and the shape of their rows.
 *
 * A version is a row; the newest of a key has the greatest `seq` and `isLatest` 1. Keys compare as UTF-8 bytes because
 * SQLite compares TEXT that way, which is S3's order. `s3_outbox` holds events between commit and publication.
 */
import { Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { ChecksumAlgorithm, ChecksumType } from "./Checksum.ts";
import { ObjectMeta } from "./objectMeta.ts";
import { Tag } from "./tags.ts";

/** Creates what is missing. */
export const createTables = (database: DatabaseSync): void => {
  database.exec(`
    CREATE TABLE IF NOT EXISTS s3_buckets (
      name TEXT PRIMARY KEY, createdMs INTEGER NOT NULL, versioning TEXT NOT NULL DEFAULT '',
      eventBridge INTEGER NOT NULL DEFAULT 0, cors TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS s3_versions (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL,
      versionId TEXT NOT NULL, isMarker INTEGER NOT NULL, isLatest INTEGER NOT NULL,
      modifiedMs INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
      meta TEXT NOT NULL, tags TEXT NOT NULL, body TEXT NOT NULL, multipart INTEGER NOT NULL,
      UNIQUE (bucket, key, versionId)
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS s3_latest ON s3_versions (bucket, key) WHERE isLatest = 1;
    CREATE INDEX IF NOT EXISTS s3_history ON s3_versions (bucket, key, seq DESC);
    CREATE TABLE IF NOT EXISTS s3_uploads (
      uploadId TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, createdMs INTEGER NOT NULL,
      meta TEXT NOT NULL, tags TEXT NOT NULL, algorithm TEXT, checksumType TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS s3_uploads_key ON s3_uploads (bucket, key, createdMs, uploadId);
    CREATE TABLE IF NOT EXISTS s3_parts (
      uploadId TEXT NOT NULL, partNumber INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
      etag TEXT NOT NULL, algorithm TEXT NOT NULL, checksum TEXT NOT NULL, modifiedMs INTEGER NOT NULL,
      PRIMARY KEY (uploadId, partNumber)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS s3_sequence (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO s3_sequence (id, value) VALUES (1, 0);
    CREATE TABLE IF NOT EXISTS s3_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL) STRICT;
  `);
};

export const BucketRow = Schema.Struct({
  name: Schema.String,
  createdMs: Schema.Int,
  versioning: Schema.Literals(["", "Enabled", "Suspended"]),
  eventBridge: Schema.Int,
  cors: Schema.NullOr(Schema.String),
});
export type BucketRow = typeof BucketRow.Type;

/** A file of a body; the checksum is that of the part it was uploaded as. */
export const StoredFile = Schema.Struct({
  file: Schema.String,
  size: Schema.Int,
  checksum: Schema.optionalKey(Schema.String),
});
export type StoredFile = typeof StoredFile.Type;

export const VersionRow = Schema.Struct({
  seq: Schema.Int,
  bucket: Schema.String,
  key: Schema.String,
  /** `null` as text for the version of a bucket without versioning. */
  versionId: Schema.String,
  isMarker: Schema.Int,
  isLatest: Schema.Int,
  modifiedMs: Schema.Int,
  size: Schema.Int,
  /** Without quotes. */
  etag: Schema.String,
  meta: Schema.fromJsonString(ObjectMeta),
  tags: Schema.fromJsonString(Schema.Array(Tag)),
  body: Schema.fromJsonString(Schema.Array(StoredFile)),
  multipart: Schema.Int,
});
export type VersionRow = typeof VersionRow.Type;

export const UploadRow = Schema.Struct({
  uploadId: Schema.String,
  bucket: Schema.String,
  key: Schema.String,
  createdMs: Schema.Int,
  meta: Schema.fromJsonString(ObjectMeta),
  tags: Schema.fromJsonString(Schema.Array(Tag)),
  algorithm: Schema.NullOr(ChecksumAlgorithm),
  checksumType: Schema.NullOr(ChecksumType),
});
export type UploadRow = typeof UploadRow.Type;

export const PartRow = Schema.Struct({
  uploadId: Schema.String,
  partNumber: Schema.Int,
  file: Schema.String,
  size: Schema.Int,
  etag: Schema.String,
  algorithm: ChecksumAlgorithm,
  checksum: Schema.String,
  modifiedMs: Schema.Int,
});
export type PartRow = typeof PartRow.Type;
