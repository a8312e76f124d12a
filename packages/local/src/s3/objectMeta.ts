/**
 * What an upload says about its object besides the bytes: content headers, user metadata, storage class, tags.
 *
 * Headers that ask for something this S3 does not do are refused by name, never dropped.
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { Checksum } from "./Checksum.ts";
import { isHeaderName, isHeaderText, notHeaderText } from "./headerText.ts";
import { readQuery } from "./S3Call.ts";
import { invalidArgument, notImplemented, s3Error } from "./s3Error.ts";
import { checkTags, type Tag } from "./tags.ts";

/** The stored description of an object. */
export const ObjectMeta = Schema.Struct({
  /** Content headers as they are given back, names in lower case. */
  headers: Schema.Record(Schema.String, Schema.String),
  /** User metadata without the `x-amz-meta-` prefix. */
  user: Schema.Record(Schema.String, Schema.String),
  storageClass: Schema.String,
  checksum: Schema.optionalKey(Checksum),
});
export type ObjectMeta = typeof ObjectMeta.Type;

/** User metadata, names and values together (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html). */
const userMetadataBytesMax = 2048;

const contentHeaders = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
];

/** Classes whose objects are read like STANDARD ones; the archive classes need a restore and are refused. */
const storageClasses = new Set([
  "STANDARD",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "REDUCED_REDUNDANCY",
  "GLACIER_IR",
]);
const archiveClasses = new Set(["GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE"]);

/** Reads the description of an object from the headers of its upload. */
export const readObjectMeta = Effect.fnUntraced(function* (
  headers: Readonly<Record<string, string>>,
  operation: string,
): Effect.fn.Return<ObjectMeta, AwsError> {
  const stored: Record<string, string> = {};
  for (const name of contentHeaders) {
    const value = headers[name];
    const kept = name === "content-encoding" ? withoutAwsChunked(value) : value;
    if (kept === undefined || kept === "") continue;
    if (!isHeaderText(kept)) return yield* notHeaderText(name, kept);
    stored[name] = kept;
  }
  stored["content-type"] ??= "binary/octet-stream";
  const user: Record<string, string> = {};
  let userBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith("x-amz-meta-")) continue;
    const short = name.slice("x-amz-meta-".length);
    if (!isHeaderName(short)) {
      return yield* invalidArgument(name, value, "The name of the metadata is no header name");
    }
    user[short] = value;
    userBytes += Buffer.byteLength(short) + Buffer.byteLength(value);
  }
  if (userBytes > userMetadataBytesMax) {
    return yield* s3Error(
      400,
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
      { Size: String(userBytes), MaxSizeAllowed: String(userMetadataBytesMax) },
    );
  }
  const storageClass = headers["x-amz-storage-class"] ?? "STANDARD";
  if (archiveClasses.has(storageClass)) {
    return yield* notImplemented(operation, `x-amz-storage-class: ${storageClass}`);
  }
  if (!storageClasses.has(storageClass)) {
    return yield* s3Error(
      400,
      "InvalidStorageClass",
      "The storage class you specified is not valid",
      { StorageClassRequested: storageClass },
    );
  }
  return { headers: stored, user, storageClass };
});

const withoutAwsChunked = (encoding: string | undefined): string | undefined =>
  encoding
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part.toLowerCase() !== "aws-chunked")
    .join(",");

/** Reads `x-amz-tagging`, a query string of tags. */
export const readTaggingHeader = Effect.fnUntraced(function* (
  headers: Readonly<Record<string, string>>,
): Effect.fn.Return<ReadonlyArray<Tag>, AwsError> {
  const header = headers["x-amz-tagging"];
  if (header === undefined || header === "") return [];
  const pairs = yield* Effect.mapError(readQuery(header), () =>
    invalidArgument(
      "x-amz-tagging",
      header,
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    ),
  );
  return yield* checkTags(pairs.map(([key, value]) => ({ key, value })));
});
