/**
 * ListObjectVersions: all versions and delete markers, keys in byte order, newest first within a key.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
import { Effect, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { BucketOperation } from "./calls.ts";
import { xmlResponse } from "./calls.ts";
import { ownerXml } from "./listObjects.ts";
import { commonPrefixOf, readEncoding, readPageSize } from "./listParameters.ts";
import { invalidArgument } from "./s3Error.ts";
import { requireBucket } from "./S3World.ts";
import { allRows } from "./sql.ts";
import { isoTime } from "./timestamps.ts";
import { findVersion } from "./Versions.ts";
import { endOfPrefix } from "./walkKeys.ts";
import { element, optionalElement, type Xml } from "./xml.ts";

const ListedVersion = Schema.Struct({
  seq: Schema.Int,
  key: Schema.String,
  versionId: Schema.String,
  isMarker: Schema.Int,
  isLatest: Schema.Int,
  modifiedMs: Schema.Int,
  size: Schema.Int,
  etag: Schema.String,
  storageClass: Schema.String,
});
type ListedVersion = typeof ListedVersion.Type;

interface VersionPage {
  readonly entries: ReadonlyArray<ListedVersion | { readonly commonPrefix: string }>;
  readonly isTruncated: boolean;
}

/** After all versions of `key`, or after the one with `seq` when that is given. */
interface Start {
  readonly key: string;
  readonly seq: number | undefined;
  readonly wholePrefix: boolean;
}

/** ListObjectVersions. */
export const listObjectVersions: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const limit = yield* readPageSize(call, "max-keys");
  const { encode, name: encoding } = yield* readEncoding(call);
  const prefix = call.query.get("prefix") ?? "";
  const delimiter = call.query.get("delimiter") ?? "";
  const keyMarker = call.query.get("key-marker") ?? "";
  const versionMarker = call.query.get("version-id-marker") ?? "";
  if (versionMarker !== "" && keyMarker === "") {
    return yield* invalidArgument(
      "version-id-marker",
      versionMarker,
      "A version-id marker cannot be specified without a key marker.",
    );
  }
  const marked =
    versionMarker === ""
      ? undefined
      : findVersion(world.database, call.bucket, keyMarker, versionMarker);
  if (versionMarker !== "" && marked === undefined) {
    return yield* invalidArgument(
      "version-id-marker",
      versionMarker,
      "Invalid version id specified",
    );
  }
  const page = readPage(world.database, {
    bucket: call.bucket,
    prefix,
    delimiter,
    limit,
    start: {
      key: keyMarker,
      seq: marked?.seq,
      wholePrefix: keyMarker !== "" && commonPrefixOf(keyMarker, prefix, delimiter) === keyMarker,
    },
  });
  return xmlResponse(
    element(
      "ListVersionsResult",
      element("Name", call.bucket),
      element("Prefix", encode(prefix)),
      element("KeyMarker", encode(keyMarker)),
      element("VersionIdMarker", versionMarker),
      delimiter === "" ? undefined : element("Delimiter", encode(delimiter)),
      optionalElement("EncodingType", encoding),
      element("MaxKeys", limit),
      element("IsTruncated", page.isTruncated),
      ...nextMarkers(page, encode),
      ...page.entries.map((entry) => entryXml(entry, encode)),
    ),
  );
});

const nextMarkers = (
  page: VersionPage,
  encode: (text: string) => string,
): ReadonlyArray<Xml | undefined> => {
  const last = page.entries.at(-1);
  if (!page.isTruncated || last === undefined) return [];
  return "commonPrefix" in last
    ? [element("NextKeyMarker", encode(last.commonPrefix))]
    : [element("NextKeyMarker", encode(last.key)), element("NextVersionIdMarker", last.versionId)];
};

const entryXml = (entry: VersionPage["entries"][number], encode: (text: string) => string): Xml => {
  if ("commonPrefix" in entry) {
    return element("CommonPrefixes", element("Prefix", encode(entry.commonPrefix)));
  }
  const isMarker = entry.isMarker === 1;
  return element(
    isMarker ? "DeleteMarker" : "Version",
    element("Key", encode(entry.key)),
    element("VersionId", entry.versionId),
    element("IsLatest", entry.isLatest === 1),
    element("LastModified", isoTime(entry.modifiedMs)),
    isMarker ? undefined : element("ETag", `"${entry.etag}"`),
    isMarker ? undefined : element("Size", entry.size),
    ownerXml(),
    isMarker ? undefined : element("StorageClass", entry.storageClass),
  );
};

const batch = 1001;

interface VersionWalk {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  readonly start: Start;
}

const readPage = (database: DatabaseSync, walk: VersionWalk): VersionPage => {
  const entries: Array<ListedVersion | { readonly commonPrefix: string }> = [];
  if (walk.limit === 0) return { entries, isTruncated: false };
  let { start } = walk;
  for (;;) {
    const rows = nextRows(database, walk, start);
    let jumped = false;
    for (const row of rows) {
      const group = commonPrefixOf(row.key, walk.prefix, walk.delimiter);
      const isSkipped = group !== undefined && start.wholePrefix && group === start.key;
      if (!isSkipped && entries.length === walk.limit) return { entries, isTruncated: true };
      if (group === undefined) {
        entries.push(row);
        start = { key: row.key, seq: row.seq, wholePrefix: false };
        continue;
      }
      if (!isSkipped) entries.push({ commonPrefix: group });
      start = { key: group, seq: undefined, wholePrefix: true };
      jumped = true;
      break;
    }
    if (!jumped && rows.length < batch) return { entries, isTruncated: false };
  }
};

const nextRows = (
  database: DatabaseSync,
  walk: VersionWalk,
  start: Start,
): ReadonlyArray<ListedVersion> =>
  allRows(
    database,
    ListedVersion,
    `SELECT seq, key, versionId, isMarker, isLatest, modifiedMs, size, etag,
            json_extract(meta, '$.storageClass') AS storageClass
     FROM s3_versions
     WHERE bucket = ?1 AND key >= ?2 AND key <= ?5
       AND (key > ?3 OR (key = ?3 AND seq < ?4))
     ORDER BY key, seq DESC LIMIT ${batch}`,
    walk.bucket,
    walk.prefix,
    start.wholePrefix ? endOfPrefix(start.key) : start.key,
    start.seq ?? 0,
    endOfPrefix(walk.prefix),
  );
