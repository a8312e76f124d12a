/**
 * Walks the keys of a bucket in UTF-8 byte order and rolls them up by delimiter, one page at a time.
 *
 * All comparisons of order are SQLite's, because JavaScript compares UTF-16 units. A rolled-up group is skipped by a
 * bound instead of being read key by key, so a listing by folder costs per folder and not per object.
 */
import { Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { commonPrefixOf } from "./listParameters.ts";
import { allRows } from "./sql.ts";

/** Where a listing goes on: after a key, or after everything below a common prefix. */
export interface Position {
  readonly after: string;
  readonly wholePrefix: boolean;
}

export interface Walk {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly from: Position;
  readonly limit: number;
}

const ListedObject = Schema.Struct({
  key: Schema.String,
  size: Schema.Int,
  etag: Schema.String,
  modifiedMs: Schema.Int,
  storageClass: Schema.String,
  algorithm: Schema.NullOr(Schema.String),
  checksumType: Schema.NullOr(Schema.String),
});
export type ListedObject = typeof ListedObject.Type;

/** A page of objects and common prefixes, in order; `next` is set when there is more. */
export interface Page {
  readonly objects: ReadonlyArray<ListedObject>;
  readonly commonPrefixes: ReadonlyArray<string>;
  readonly next: Position | undefined;
}

/** Greater than every key that starts with `prefix`: no key has more than 256 four-byte characters. */
export const endOfPrefix = (prefix: string): string => `${prefix}${"\u{10FFFF}".repeat(257)}`;

/** Reads one page. */
export const walkKeys = (database: DatabaseSync, walk: Walk): Page => {
  const objects: Array<ListedObject> = [];
  const commonPrefixes: Array<string> = [];
  let position = walk.from;
  if (walk.limit === 0) return { objects, commonPrefixes, next: undefined };
  for (;;) {
    const rows = nextRows(database, walk, position);
    let jumped = false;
    for (const row of rows) {
      const group = commonPrefixOf(row.key, walk.prefix, walk.delimiter);
      const isSkipped = group !== undefined && position.wholePrefix && group === position.after;
      if (!isSkipped && objects.length + commonPrefixes.length === walk.limit) {
        return { objects, commonPrefixes, next: position };
      }
      if (group === undefined) {
        objects.push(row);
        position = { after: row.key, wholePrefix: false };
        continue;
      }
      if (!isSkipped) commonPrefixes.push(group);
      position = { after: group, wholePrefix: true };
      jumped = true;
      break;
    }
    if (!jumped && rows.length < batch) return { objects, commonPrefixes, next: undefined };
  }
};

/** Rows per query: one more than a page, so that a plain page needs one query to know whether it is the last. */
const batch = 1001;

const nextRows = (
  database: DatabaseSync,
  walk: Walk,
  position: Position,
): ReadonlyArray<ListedObject> =>
  allRows(
    database,
    ListedObject,
    `SELECT key, size, etag, modifiedMs, json_extract(meta, '$.storageClass') AS storageClass,
            json_extract(meta, '$.checksum.algorithm') AS algorithm,
            json_extract(meta, '$.checksum.type') AS checksumType
     FROM s3_versions
     WHERE bucket = ?1 AND isLatest = 1 AND isMarker = 0 AND key >= ?2 AND key > ?3
       AND key <= ?4
     ORDER BY key LIMIT ${batch}`,
    walk.bucket,
    walk.prefix,
    position.wholePrefix ? endOfPrefix(position.after) : position.after,
    // From the prefix to its end lie exactly the keys that start with it; SQLite's length() would stop at a NUL.
    endOfPrefix(walk.prefix),
  );
