/**
 * DeleteObject and DeleteObjects: removal, delete markers, removal of one version.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html, API_DeleteObjects.html
 */
import { Effect, Result } from "effect";
import { createHash } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import type { BucketCall, BucketOperation, ObjectOperation } from "./calls.ts";
import { emptyResponse, readDocument, xmlResponse } from "./calls.ts";
import { bareEtag, etagListed } from "./conditions.ts";
import { isVersionId, versionIdOf } from "./findObject.ts";
import { objectDeleted } from "./objectEvent.ts";
import {
  invalidArgument,
  malformedXml,
  noSuchKey,
  notImplemented,
  preconditionFailed,
} from "./s3Error.ts";
import type { BucketRow } from "./S3Tables.ts";
import { type Changes, currentSecondMs, requireBucket, type S3World } from "./S3World.ts";
import { findLatest, findVersion, insertVersion, removeVersion } from "./Versions.ts";
import { childrenOf, element, optionalElement, parseXml, textOf, type XmlNode } from "./xml.ts";

interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
}

/** What a deletion did: which version it touched and whether that is a delete marker. */
interface Deleted {
  readonly versionId: string | undefined;
  readonly isMarker: boolean;
}

const objectsPerRequestMax = 1000;
const emptyMd5 = createHash("md5").digest("hex");

/** DeleteObject; a key that is not there is as deleted as one that was. */
export const deleteObject: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const versionId = yield* versionIdOf(call);
  const ifMatch = call.headers["if-match"];
  const deleted = yield* deleteOne(world, call, { key: call.key, versionId, ifMatch });
  return emptyResponse(204, {
    ...(deleted.versionId === undefined ? {} : { "x-amz-version-id": deleted.versionId }),
    ...(deleted.isMarker ? { "x-amz-delete-marker": "true" } : {}),
  });
});

/** DeleteObjects: each key by itself, so one failure leaves the others done. */
export const deleteObjects: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const root = yield* parseXml(yield* readDocument(call, { digestRequired: true }), "Delete");
  const objects = childrenOf(root, "Object");
  if (objects.length === 0 || objects.length > objectsPerRequestMax) return yield* malformedXml();
  const quiet = textOf(root, "Quiet")?.trim().toLowerCase() === "true";
  const deletions = yield* Effect.forEach(objects, readDeletion);
  const results = yield* Effect.forEach(deletions, (deletion) =>
    deleteOne(world, call, deletion).pipe(
      Effect.map((deleted) => (quiet ? undefined : deletedXml(deletion, deleted))),
      Effect.catch((error) => Effect.succeed(errorXml(deletion, error))),
    ),
  );
  return xmlResponse(element("DeleteResult", ...results));
});

const readDeletion = (node: XmlNode): Effect.Effect<Deletion, AwsError> => {
  const key = textOf(node, "Key");
  if (key === undefined || key === "") return Effect.fail(malformedXml());
  for (const condition of ["LastModifiedTime", "Size"]) {
    if (textOf(node, condition) !== undefined) {
      return Effect.fail(notImplemented("DeleteObjects", condition));
    }
  }
  return Effect.succeed({
    key,
    versionId: textOf(node, "VersionId"),
    ifMatch: textOf(node, "ETag"),
  });
};

const deletedXml = (deletion: Deletion, deleted: Deleted) =>
  element(
    "Deleted",
    element("Key", deletion.key),
    optionalElement("VersionId", deletion.versionId),
    deleted.isMarker ? element("DeleteMarker", true) : undefined,
    deleted.isMarker ? optionalElement("DeleteMarkerVersionId", deleted.versionId) : undefined,
  );

const errorXml = (deletion: Deletion, error: AwsError) =>
  element(
    "Error",
    element("Key", deletion.key),
    optionalElement("VersionId", deletion.versionId),
    element("Code", error.code),
    element("Message", error.message),
  );

const deleteOne = (
  world: S3World,
  call: BucketCall,
  deletion: Deletion,
): Effect.Effect<Deleted, AwsError> =>
  Effect.flatMap(currentSecondMs, (nowMs) =>
    world.commit((changes) =>
      Result.flatMap(requireBucket(world, call.bucket), (bucket) => {
        const work = { world, call, bucket, deletion, changes, nowMs };
        return Result.flatMap(checkDeletion(work), () =>
          Result.succeed(
            deletion.versionId !== undefined
              ? removeOneVersion(work, deletion.versionId)
              : bucket.versioning === ""
                ? removeCurrent(work)
                : placeMarker(work),
          ),
        );
      }),
    ),
  );

interface Work {
  readonly world: S3World;
  readonly call: BucketCall;
  readonly bucket: BucketRow;
  readonly deletion: Deletion;
  readonly changes: Changes;
  readonly nowMs: number;
}

/** Conditional deletes look at the current version only. */
const checkDeletion = ({ bucket, deletion, world }: Work): Result.Result<void, AwsError> => {
  if (deletion.versionId !== undefined && !isVersionId(deletion.versionId)) {
    return Result.fail(
      invalidArgument("versionId", deletion.versionId, "Invalid version id specified"),
    );
  }
  if (deletion.ifMatch === undefined) return Result.void;
  const current = findLatest(world.database, bucket.name, deletion.key);
  if (current === undefined) return Result.fail(noSuchKey(deletion.key));
  return current.isMarker === 0 && etagListed(deletion.ifMatch, bareEtag(current.etag))
    ? Result.void
    : Result.fail(preconditionFailed("If-Match"));
};

const removeOneVersion = (work: Work, versionId: string): Deleted => {
  const { bucket, changes, deletion, world } = work;
  const version = findVersion(world.database, bucket.name, deletion.key, versionId);
  if (version === undefined) return { versionId, isMarker: false };
  removeVersion(world.database, version);
  changes.garbage.push(...version.body);
  changes.events.push(
    ...objectDeleted(causeOf(work), { key: deletion.key, versionId }, "Permanently Deleted"),
  );
  return { versionId, isMarker: version.isMarker === 1 };
};

const removeCurrent = (work: Work): Deleted => {
  const { bucket, changes, deletion, world } = work;
  const version = findLatest(world.database, bucket.name, deletion.key);
  if (version !== undefined) {
    removeVersion(world.database, version);
    changes.garbage.push(...version.body);
    changes.events.push(
      ...objectDeleted(
        causeOf(work),
        { key: deletion.key, versionId: version.versionId },
        "Permanently Deleted",
      ),
    );
  }
  return { versionId: undefined, isMarker: false };
};

const placeMarker = (work: Work): Deleted => {
  const { bucket, changes, deletion, nowMs, world } = work;
  const { replaced, versionId } = insertVersion(world.database, bucket, {
    key: deletion.key,
    modifiedMs: nowMs,
    size: 0,
    etag: emptyMd5,
    meta: { headers: {}, user: {}, storageClass: "STANDARD" },
    tags: [],
    body: [],
    multipart: false,
    isMarker: true,
  });
  for (const row of replaced) changes.garbage.push(...row.body);
  changes.events.push(
    ...objectDeleted(
      causeOf(work),
      { key: deletion.key, versionId, etag: emptyMd5 },
      "Delete Marker Created",
    ),
  );
  return { versionId, isMarker: true };
};

const causeOf = ({ bucket, call, world }: Work) => ({
  database: world.database,
  bucket,
  requestId: call.requestId,
});
