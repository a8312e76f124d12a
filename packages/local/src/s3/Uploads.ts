/** The rows of multipart uploads and their parts: pure database access. */
import type { DatabaseSync } from "node:sqlite";
import { allRows, firstRow, run } from "./sql.ts";
import { PartRow, UploadRow } from "./S3Tables.ts";

export const insertUpload = (database: DatabaseSync, upload: UploadRow): void =>
  run(
    database,
    `INSERT INTO s3_uploads (uploadId, bucket, key, createdMs, meta, tags, algorithm, checksumType)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    upload.uploadId,
    upload.bucket,
    upload.key,
    upload.createdMs,
    JSON.stringify(upload.meta),
    JSON.stringify(upload.tags),
    upload.algorithm,
    upload.checksumType,
  );

export const findUpload = (
  database: DatabaseSync,
  bucket: string,
  key: string,
  uploadId: string,
): UploadRow | undefined =>
  firstRow(
    database,
    UploadRow,
    "SELECT * FROM s3_uploads WHERE bucket = ? AND key = ? AND uploadId = ?",
    bucket,
    key,
    uploadId,
  );

/** Uploads in the order of S3: by key, then by when they began. */
export const uploadsOf = (
  database: DatabaseSync,
  bucket: string,
  prefix: string,
): ReadonlyArray<UploadRow> =>
  allRows(
    database,
    UploadRow,
    "SELECT * FROM s3_uploads WHERE bucket = ? ORDER BY key, createdMs, rowid",
    bucket,
  ).filter(({ key }) => key.startsWith(prefix));

export const findPart = (
  database: DatabaseSync,
  uploadId: string,
  partNumber: number,
): PartRow | undefined =>
  firstRow(
    database,
    PartRow,
    "SELECT * FROM s3_parts WHERE uploadId = ? AND partNumber = ?",
    uploadId,
    partNumber,
  );

/** The parts after a part number, at most `limit`. */
export const partsAfter = (
  database: DatabaseSync,
  uploadId: string,
  after: number,
  limit: number,
): ReadonlyArray<PartRow> =>
  allRows(
    database,
    PartRow,
    "SELECT * FROM s3_parts WHERE uploadId = ? AND partNumber > ? ORDER BY partNumber LIMIT ?",
    uploadId,
    after,
    limit,
  );

/** Puts a part in place; one with the same number is overwritten and given back. */
export const replacePart = (database: DatabaseSync, part: PartRow): PartRow | undefined => {
  const old = findPart(database, part.uploadId, part.partNumber);
  run(
    database,
    `INSERT OR REPLACE INTO s3_parts
       (uploadId, partNumber, file, size, etag, algorithm, checksum, modifiedMs)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    part.uploadId,
    part.partNumber,
    part.file,
    part.size,
    part.etag,
    part.algorithm,
    part.checksum,
    part.modifiedMs,
  );
  return old;
};

/** Forgets an upload and gives back all its parts. */
export const removeUpload = (database: DatabaseSync, uploadId: string): ReadonlyArray<PartRow> => {
  const parts = allRows(database, PartRow, "SELECT * FROM s3_parts WHERE uploadId = ?", uploadId);
  run(database, "DELETE FROM s3_parts WHERE uploadId = ?", uploadId);
  run(database, "DELETE FROM s3_uploads WHERE uploadId = ?", uploadId);
  return parts;
};
