/**
 * ListObjectsV2 and ListObjects.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, API_ListObjects.html
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { localAccount } from "../LocalAccount.ts";
import type { BucketOperation } from "./calls.ts";
import { xmlResponse } from "./calls.ts";
import { commonPrefixOf, readEncoding, readPageSize } from "./listParameters.ts";
import { invalidArgument } from "./s3Error.ts";
import { requireBucket } from "./S3World.ts";
import { isoTime } from "./timestamps.ts";
import { type ListedObject, type Page, type Position, walkKeys } from "./walkKeys.ts";
import { element, optionalElement, type Xml } from "./xml.ts";

/** The owner of everything here. */
export const ownerXml = (name = "Owner"): Xml =>
  element(
    name,
    element("ID", localAccount.accountId.padStart(64, "0")),
    element("DisplayName", localAccount.accessKeyId),
  );

/** ListObjectsV2. */
export const listObjectsV2: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const limit = yield* readPageSize(call, "max-keys");
  const { encode, name: encoding } = yield* readEncoding(call);
  const prefix = call.query.get("prefix") ?? "";
  const delimiter = call.query.get("delimiter") ?? "";
  const token = call.query.get("continuation-token");
  const startAfter = call.query.get("start-after");
  const from =
    token === undefined
      ? startPosition(startAfter ?? "", prefix, delimiter)
      : yield* readToken(token);
  const page = walkKeys(world.database, { bucket: call.bucket, prefix, delimiter, from, limit });
  const withOwner = call.query.get("fetch-owner") === "true";
  return xmlResponse(
    element(
      "ListBucketResult",
      element("Name", call.bucket),
      element("Prefix", encode(prefix)),
      delimiter === "" ? undefined : element("Delimiter", encode(delimiter)),
      optionalElement("EncodingType", encoding),
      element("MaxKeys", limit),
      element("KeyCount", page.objects.length + page.commonPrefixes.length),
      element("IsTruncated", page.next !== undefined),
      optionalElement("ContinuationToken", token),
      page.next === undefined ? undefined : element("NextContinuationToken", writeToken(page.next)),
      startAfter === undefined ? undefined : element("StartAfter", encode(startAfter)),
      ...contents(page, encode, withOwner),
    ),
  );
});

/** ListObjects, the first version. */
export const listObjects: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const limit = yield* readPageSize(call, "max-keys");
  const { encode, name: encoding } = yield* readEncoding(call);
  const prefix = call.query.get("prefix") ?? "";
  const delimiter = call.query.get("delimiter") ?? "";
  const marker = call.query.get("marker") ?? "";
  const from = startPosition(marker, prefix, delimiter);
  const page = walkKeys(world.database, { bucket: call.bucket, prefix, delimiter, from, limit });
  return xmlResponse(
    element(
      "ListBucketResult",
      element("Name", call.bucket),
      element("Prefix", encode(prefix)),
      element("Marker", encode(marker)),
      delimiter === "" ? undefined : element("Delimiter", encode(delimiter)),
      optionalElement("EncodingType", encoding),
      element("MaxKeys", limit),
      element("IsTruncated", page.next !== undefined),
      // Without a delimiter the client takes the last key itself.
      page.next === undefined || delimiter === ""
        ? undefined
        : element("NextMarker", encode(page.next.after)),
      ...contents(page, encode, true),
    ),
  );
});

/** A marker that is itself a common prefix has had its whole group listed already. */
const startPosition = (marker: string, prefix: string, delimiter: string): Position => ({
  after: marker,
  wholePrefix: marker !== "" && commonPrefixOf(marker, prefix, delimiter) === marker,
});

const contents = (
  page: Page,
  encode: (text: string) => string,
  withOwner: boolean,
): ReadonlyArray<Xml> => [
  ...page.objects.map((object) => contentXml(object, encode, withOwner)),
  ...page.commonPrefixes.map((prefix) =>
    element("CommonPrefixes", element("Prefix", encode(prefix))),
  ),
];

const contentXml = (
  object: ListedObject,
  encode: (text: string) => string,
  withOwner: boolean,
): Xml =>
  element(
    "Contents",
    element("Key", encode(object.key)),
    element("LastModified", isoTime(object.modifiedMs)),
    element("ETag", `"${object.etag}"`),
    object.algorithm === null ? undefined : element("ChecksumAlgorithm", object.algorithm),
    object.checksumType === null ? undefined : element("ChecksumType", object.checksumType),
    element("Size", object.size),
    withOwner ? ownerXml() : undefined,
    element("StorageClass", object.storageClass),
  );

const tokenVersion = "1";

const writeToken = (position: Position): string =>
  Buffer.from(
    `${tokenVersion}${position.wholePrefix ? "p" : "k"}${position.after}`,
    "utf8",
  ).toString("base64url");

const readToken = (token: string): Effect.Effect<Position, AwsError> => {
  const text = Buffer.from(token, "base64url").toString("utf8");
  const kind = text.charAt(1);
  const valid =
    text.startsWith(tokenVersion) &&
    (kind === "p" || kind === "k") &&
    Buffer.from(text, "utf8").toString("base64url") === token;
  return valid
    ? Effect.succeed({ after: text.slice(2), wholePrefix: kind === "p" })
    : Effect.fail(
        invalidArgument(
          "continuation-token",
          token,
          "The continuation token provided is incorrect",
        ),
      );
};
