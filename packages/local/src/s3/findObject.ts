/**
 * Which version a request for an object means, and the answers when there is none.
 *
 * A delete marker is not an object: without a version id it is a 404 that says so, with its id a 405.
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import type { ObjectCall } from "./calls.ts";
import { invalidArgument, noSuchKey, noSuchVersion, s3Error } from "./s3Error.ts";
import { s3ErrorResponse } from "./s3ErrorResponse.ts";
import type { BucketRow, VersionRow } from "./S3Tables.ts";
import { requireBucket, type S3World } from "./S3World.ts";
import { httpDate } from "./timestamps.ts";
import { findLatest, findVersion, nullVersionId } from "./Versions.ts";

/** Either the version, or the finished answer that it is a delete marker. */
export type FoundObject =
  | { readonly bucket: BucketRow; readonly version: VersionRow }
  | { readonly answer: AwsResponse };

/** The `versionId` of a call, checked for its form. */
export const versionIdOf = (call: {
  readonly query: ReadonlyMap<string, string>;
}): Effect.Effect<string | undefined, AwsError> => {
  const versionId = call.query.get("versionId");
  if (versionId === undefined) return Effect.succeed(versionId);
  if (versionId === "") {
    return Effect.fail(invalidArgument("versionId", "", "Version id cannot be the empty string"));
  }
  return isVersionId(versionId)
    ? Effect.succeed(versionId)
    : Effect.fail(invalidArgument("versionId", versionId, "Invalid version id specified"));
};

/** True for `null` and for ids of the form that this S3 gives. */
export const isVersionId = (text: string): boolean =>
  text === nullVersionId || /^[\w-]{32}$/u.test(text);

/** Finds the version that a GET, HEAD or tagging call means. */
export const findObject = Effect.fnUntraced(function* (
  world: S3World,
  call: ObjectCall,
): Effect.fn.Return<FoundObject, AwsError> {
  const bucket = yield* Effect.fromResult(requireBucket(world, call.bucket));
  const versionId = yield* versionIdOf(call);
  const version =
    versionId === undefined
      ? findLatest(world.database, call.bucket, call.key)
      : findVersion(world.database, call.bucket, call.key, versionId);
  if (version === undefined) {
    return yield* versionId === undefined
      ? noSuchKey(call.key)
      : noSuchVersion(call.key, versionId);
  }
  if (version.isMarker === 0) return { bucket, version };
  const headers = { "x-amz-delete-marker": "true", "x-amz-version-id": version.versionId };
  if (versionId === undefined) {
    return { answer: s3ErrorResponse(noSuchKey(call.key), call, headers) };
  }
  const error = s3Error(
    405,
    "MethodNotAllowed",
    "The specified method is not allowed against this resource.",
    { Method: call.method, ResourceType: "DeleteMarker" },
  );
  return {
    answer: s3ErrorResponse(error, call, {
      ...headers,
      allow: "DELETE",
      "last-modified": httpDate(version.modifiedMs),
    }),
  };
});
