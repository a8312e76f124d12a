/**
 * CopyObject: the bytes are written anew, so the copy has an entity tag and checksum of its own.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { ObjectCall, ObjectOperation } from "./calls.ts";
import { xmlResponse } from "./calls.ts";
import { type ChecksumAlgorithm, checksumAlgorithm, checksumElement } from "./Checksum.ts";
import { type CopySource, findCopySource, streamSource } from "./copySource.ts";
import { type ObjectMeta, readObjectMeta, readTaggingHeader } from "./objectMeta.ts";
import { versionHeader } from "./readObject.ts";
import { receiveBody } from "./receiveBody.ts";
import { invalidArgument, invalidRequest, notImplemented } from "./s3Error.ts";
import { currentSecondMs } from "./S3World.ts";
import { isoTime } from "./timestamps.ts";
import { createdHeaders, judgeTarget, putBytesMax, storeObject } from "./writeObject.ts";
import { element } from "./xml.ts";

/** CopyObject. */
export const copyObject: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(judgeTarget(world, call));
  const source = yield* findCopySource(world, call);
  if (source.version.size > putBytesMax) {
    return yield* invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${putBytesMax}`,
    );
  }
  const meta = yield* copiedMeta(call, source);
  const tags =
    (yield* directive(call, "x-amz-tagging-directive")) === "REPLACE"
      ? yield* readTaggingHeader(call.headers)
      : source.version.tags;
  const algorithm = yield* algorithmOf(call, source);
  const body = yield* world.bodies.create;
  const received = yield* receiveBody(
    {
      ...call,
      body: streamSource(world, source, 0, source.version.size),
      protection: { sha256: undefined, chunked: undefined },
    },
    { contentMd5: undefined, checksum: undefined },
    { fallback: algorithm, write: body.write },
  );
  yield* body.complete;
  const etag = received.md5.toString("hex");
  const modifiedMs = yield* currentSecondMs;
  const stored = yield* storeObject(world, call, {
    reason: "CopyObject",
    newBodies: [body],
    version: {
      key: call.key,
      modifiedMs,
      size: received.size,
      etag,
      meta: { ...meta, checksum: received.checksum },
      tags,
      body: [{ file: body.file, size: received.size }],
      multipart: false,
      isMarker: false,
    },
  });
  return xmlResponse(
    element(
      "CopyObjectResult",
      element("ETag", `"${etag}"`),
      element("LastModified", isoTime(modifiedMs)),
      element(checksumElement(algorithm), received.checksum.value),
      element("ChecksumType", received.checksum.type),
    ),
    { ...createdHeaders(stored), ...sourceHeaders(source) },
  );
}, Effect.scoped);

/** Names the version that was copied, where the source's bucket has versions. */
export const sourceHeaders = (source: CopySource): Readonly<Record<string, string>> => {
  const id = versionHeader(source.bucket, source.version.versionId)["x-amz-version-id"];
  return id === undefined ? {} : { "x-amz-copy-source-version-id": id };
};

const directive = (
  call: ObjectCall,
  header: string,
): Effect.Effect<"COPY" | "REPLACE", AwsError> => {
  const value = call.headers[header] ?? "COPY";
  return value === "COPY" || value === "REPLACE"
    ? Effect.succeed(value)
    : Effect.fail(
        invalidArgument(
          header,
          value,
          header === "x-amz-metadata-directive"
            ? "Unknown metadata directive."
            : "Unknown tagging directive.",
        ),
      );
};

const copiedMeta = Effect.fnUntraced(function* (
  call: ObjectCall,
  source: CopySource,
): Effect.fn.Return<ObjectMeta, AwsError> {
  const replaces = (yield* directive(call, "x-amz-metadata-directive")) === "REPLACE";
  const given = yield* readObjectMeta(call.headers, "CopyObject");
  const sameObject =
    source.bucket.name === call.bucket && source.version.key === call.key && !source.byVersion;
  const storageClass = call.headers["x-amz-storage-class"];
  if (
    sameObject &&
    !replaces &&
    (storageClass === undefined || storageClass === source.version.meta.storageClass) &&
    call.headers["x-amz-server-side-encryption"] === undefined
  ) {
    return yield* invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  // The storage class is not metadata: without a header the copy is STANDARD, whatever the source is.
  return replaces ? given : { ...source.version.meta, storageClass: given.storageClass };
});

const algorithmOf = (
  call: ObjectCall,
  source: CopySource,
): Effect.Effect<ChecksumAlgorithm, AwsError> => {
  const asked = call.headers["x-amz-checksum-algorithm"];
  if (asked === undefined) {
    return Effect.succeed(source.version.meta.checksum?.algorithm ?? "CRC64NVME");
  }
  const algorithm = checksumAlgorithm(asked);
  return algorithm === undefined
    ? Effect.fail(notImplemented("CopyObject", `x-amz-checksum-algorithm: ${asked}`))
    : Effect.succeed(algorithm);
};
