/**
 * PutObject, and the one way in which every new object becomes a version: conditions, row and event in one commit.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
import { Effect, Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { NewBody } from "./Bodies.ts";
import type { BucketCall, ObjectCall, ObjectOperation } from "./calls.ts";
import { emptyResponse } from "./calls.ts";
import { type Checksum, checksumHeader } from "./Checksum.ts";
import { checkWrite } from "./conditions.ts";
import { type CreatedReason, objectCreated } from "./objectEvent.ts";
import { readObjectMeta, readTaggingHeader } from "./objectMeta.ts";
import { versionHeader } from "./readObject.ts";
import { declaredDigests, receiveBody } from "./receiveBody.ts";
import { notImplemented, s3Error } from "./s3Error.ts";
import type { BucketRow } from "./S3Tables.ts";
import { type Changes, currentSecondMs, requireBucket, type S3World } from "./S3World.ts";
import { findLatest, insertVersion, type NewVersion } from "./Versions.ts";

/** One PUT takes at most 5 GiB; larger objects need a multipart upload. */
export const putBytesMax = 5 * 1024 * 1024 * 1024;

/** PutObject. */
export const putObject: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(judgeTarget(world, call));
  const meta = yield* readObjectMeta(call.headers, "PutObject");
  const tags = yield* readTaggingHeader(call.headers);
  const declared = yield* declaredDigests(call.headers);
  yield* checkLength(call, "PutObject");
  const body = yield* world.bodies.create;
  const received = yield* receiveBody(call, declared, {
    fallback: "CRC64NVME",
    write: body.write,
  });
  yield* body.complete;
  const etag = received.md5.toString("hex");
  const stored = yield* storeObject(world, call, {
    reason: "PutObject",
    newBodies: [body],
    version: {
      key: call.key,
      modifiedMs: yield* currentSecondMs,
      size: received.size,
      etag,
      meta: { ...meta, checksum: received.checksum },
      tags,
      body: [{ file: body.file, size: received.size }],
      multipart: false,
      isMarker: false,
    },
  });
  return emptyResponse(200, {
    etag: `"${etag}"`,
    ...checksumResponseHeaders(received.checksum),
    ...createdHeaders(stored),
  });
}, Effect.scoped);

/** Refuses uploads whose length S3 would not accept. */
export const checkLength = (call: BucketCall, operation: string): Effect.Effect<void, AwsError> => {
  const contentLength = call.headers["content-length"];
  const decodedLength = call.headers["x-amz-decoded-content-length"];
  if (call.protection.chunked !== undefined) {
    if (decodedLength === undefined || !/^\d+$/u.test(decodedLength)) {
      return Effect.fail(
        s3Error(
          411,
          "MissingContentLength",
          "You must provide the Content-Length HTTP header: x-amz-decoded-content-length is missing.",
        ),
      );
    }
  } else if (contentLength === undefined) {
    if (call.headers["transfer-encoding"] !== undefined) {
      return Effect.fail(
        notImplemented(operation, "Transfer-Encoding: chunked without aws-chunked"),
      );
    }
    return Effect.fail(
      s3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header."),
    );
  }
  const length = Number(decodedLength ?? contentLength);
  return length > putBytesMax
    ? Effect.fail(
        s3Error(
          400,
          "EntityTooLarge",
          "Your proposed upload exceeds the maximum allowed object size.",
          { ProposedSize: String(length), MaxSizeAllowed: String(putBytesMax) },
        ),
      )
    : Effect.void;
};

/** The bucket is there and the conditions of the write hold; asked before the body and again at the commit. */
export const judgeTarget = (world: S3World, call: ObjectCall): Result.Result<BucketRow, AwsError> =>
  Result.flatMap(requireBucket(world, call.bucket), (bucket) =>
    Result.map(
      checkWrite(call.headers, {
        key: call.key,
        current: findLatest(world.database, call.bucket, call.key),
      }),
      () => bucket,
    ),
  );

/** What became of a new object. */
export interface StoredObject {
  readonly bucket: BucketRow;
  readonly versionId: string;
}

/** Makes a complete body the newest version of its key and tells the bus. */
export const storeObject = (
  world: S3World,
  call: ObjectCall,
  object: {
    readonly version: NewVersion;
    readonly reason: CreatedReason;
    readonly newBodies: ReadonlyArray<NewBody>;
    /** Asked inside the transaction, before anything is written. */
    readonly check?: () => Result.Result<void, AwsError>;
    /** Further changes of the same transaction, e.g. the end of a multipart upload. */
    readonly also?: (changes: Changes) => void;
  },
): Effect.Effect<StoredObject, AwsError> =>
  world.commit((changes) =>
    Result.map(judgeAll(world, call, object.check), (bucket) => {
      const { version } = object;
      const { replaced, versionId } = insertVersion(world.database, bucket, version);
      for (const row of replaced) changes.garbage.push(...row.body);
      object.also?.(changes);
      changes.events.push(
        ...objectCreated(
          { database: world.database, bucket, requestId: call.requestId },
          { key: version.key, etag: version.etag, size: version.size, versionId },
          object.reason,
        ),
      );
      for (const body of object.newBodies) body.keep();
      return { bucket, versionId };
    }),
  );

const judgeAll = (
  world: S3World,
  call: ObjectCall,
  check: (() => Result.Result<void, AwsError>) | undefined,
): Result.Result<BucketRow, AwsError> =>
  check === undefined
    ? judgeTarget(world, call)
    : Result.flatMap(check(), () => judgeTarget(world, call));

export const checksumResponseHeaders = (checksum: Checksum): Readonly<Record<string, string>> => ({
  [checksumHeader(checksum.algorithm)]: checksum.value,
  "x-amz-checksum-type": checksum.type,
});

/** What every answer about a new object carries. A `null` version is named only where versioning is on or was. */
export const createdHeaders = (stored: StoredObject): Readonly<Record<string, string>> => ({
  "x-amz-server-side-encryption": "AES256",
  ...(stored.bucket.versioning === "Enabled" ? versionHeader(stored.bucket, stored.versionId) : {}),
});
