/**
 * The source of CopyObject and UploadPartCopy: which object, under which conditions, as a stream of its bytes.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
import { Effect, type Scope, type Stream } from "effect";
import type { AwsError } from "../AwsError.ts";
import { localAccount } from "../LocalAccount.ts";
import type { ObjectCall } from "./calls.ts";
import { judgeRead, readConditions } from "./conditions.ts";
import { isVersionId } from "./findObject.ts";
import { percentDecode } from "./percent.ts";
import {
  accessDenied,
  invalidArgument,
  invalidRequest,
  noSuchKey,
  noSuchVersion,
  preconditionFailed,
} from "./s3Error.ts";
import type { BucketRow, VersionRow } from "./S3Tables.ts";
import { requireBucket, type S3World } from "./S3World.ts";
import { findLatest, findVersion } from "./Versions.ts";

/** The object that is copied from. */
export interface CopySource {
  readonly bucket: BucketRow;
  readonly version: VersionRow;
  /** True when the request named the version. */
  readonly byVersion: boolean;
}

/** Finds the source, keeps its files for the scope, and holds it to the `x-amz-copy-source-if-*` conditions. */
export const findCopySource = Effect.fnUntraced(function* (
  world: S3World,
  call: ObjectCall,
): Effect.fn.Return<CopySource, AwsError, Scope.Scope> {
  const header = call.headers["x-amz-copy-source"] ?? "";
  const { bucketName, key, versionId } = yield* readHeader(header);
  const owner = call.headers["x-amz-source-expected-bucket-owner"];
  if (owner !== undefined && owner !== localAccount.accountId) return yield* accessDenied();
  const bucket = yield* Effect.fromResult(requireBucket(world, bucketName));
  const version =
    versionId === undefined
      ? findLatest(world.database, bucketName, key)
      : findVersion(world.database, bucketName, key, versionId);
  if (version === undefined) {
    return yield* versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
  }
  if (version.isMarker === 1) {
    return yield* versionId === undefined
      ? noSuchKey(key)
      : invalidRequest(
          "The source of a copy request may not specifically refer to a delete marker by version id.",
        );
  }
  const verdict = judgeRead(readConditions(call.headers, "x-amz-copy-source-"), version);
  if ("failed" in verdict) return yield* preconditionFailed(`x-amz-copy-source-${verdict.failed}`);
  if (verdict.outcome === "notModified") return yield* preconditionFailed("x-amz-copy-source");
  // The source may be deleted while it is copied; its files stay until the copy is done.
  const release = world.bodies.hold(version.body);
  yield* Effect.addFinalizer(() => Effect.sync(release));
  return { bucket, version, byVersion: versionId !== undefined };
});

const readHeader = (header: string) => {
  const mark = header.search(/\?versionId=/u);
  const path = percentDecode(mark < 0 ? header : header.slice(0, mark), true);
  const versionId = mark < 0 ? undefined : header.slice(mark + "?versionId=".length);
  const match = /^\/?([^/]+)\/(.+)$/su.exec(path ?? "");
  const bucketName = match?.[1];
  const key = match?.[2];
  if (
    bucketName === undefined ||
    key === undefined ||
    (versionId !== undefined && !isVersionId(versionId))
  ) {
    return Effect.fail(
      invalidArgument(
        "x-amz-copy-source",
        header,
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      ),
    );
  }
  return Effect.succeed({ bucketName, key, versionId });
};

/** The bytes of the source. */
export const streamSource = (
  world: S3World,
  source: CopySource,
  from: number,
  to: number,
): Stream.Stream<Uint8Array, AwsError> => world.bodies.read(source.version.body, from, to);
