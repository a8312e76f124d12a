/** Buckets themselves: create, head, delete, list, location. */
import { Effect, Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import { localAccount } from "../LocalAccount.ts";
import type { AuthenticatedCall } from "./authenticate.ts";
import { isBucketName } from "./bucketName.ts";
import {
  deleteBucketRow,
  findBucket,
  insertBucket,
  isBucketEmpty,
  listBuckets,
} from "./Buckets.ts";
import type { BucketCall, BucketOperation } from "./calls.ts";
import { emptyResponse, readDocument, xmlResponse } from "./calls.ts";
import { ownerXml } from "./listObjects.ts";
import { invalidArgument, notImplemented, s3Error } from "./s3Error.ts";
import { currentSecondMs, requireBucket, type S3World } from "./S3World.ts";
import { isoTime } from "./timestamps.ts";
import { element, optionalElement, parseXml, textOf } from "./xml.ts";
import { removeUpload, uploadsOf } from "./Uploads.ts";

/** An account's buckets by default (docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html). */
const bucketsPageMax = 10_000;

/** CreateBucket; in us-east-1 creating one's own bucket again succeeds. */
export const createBucket: BucketOperation = Effect.fnUntraced(function* (world, call) {
  if (!isBucketName(call.bucket)) {
    return yield* s3Error(400, "InvalidBucketName", "The specified bucket is not valid.", {
      BucketName: call.bucket,
    });
  }
  yield* checkConfiguration(yield* readDocument(call));
  const createdMs = yield* currentSecondMs;
  yield* world.commit(() => {
    if (findBucket(world.database, call.bucket) === undefined) {
      insertBucket(world.database, call.bucket, createdMs);
    }
    return Result.void;
  });
  return emptyResponse(200, { location: `/${call.bucket}` });
});

/** What a region's name looks like; `EU` is the old name of eu-west-1. */
const regionName = /^(?:EU|[a-z]{2}(?:-[a-z]+)+-\d)$/u;

const checkConfiguration = Effect.fnUntraced(function* (
  document: string,
): Effect.fn.Return<void, AwsError> {
  if (document.trim() === "") return;
  const root = yield* parseXml(document, "CreateBucketConfiguration");
  for (const [name] of root.children) {
    if (name !== "LocationConstraint") return yield* notImplemented("CreateBucket", name);
  }
  const location = textOf(root, "LocationConstraint") ?? "";
  if (location === localAccount.region || !(location === "" || regionName.test(location))) {
    return yield* s3Error(
      400,
      "InvalidLocationConstraint",
      "The specified location-constraint is not valid",
      { LocationConstraint: location },
    );
  }
  if (location !== "") {
    return yield* s3Error(
      400,
      "IllegalLocationConstraintException",
      `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
});

/** HeadBucket. */
export const headBucket: BucketOperation = (world, call) =>
  Effect.map(Effect.fromResult(requireBucket(world, call.bucket)), () =>
    emptyResponse(200, {
      "x-amz-bucket-region": localAccount.region,
      "x-amz-access-point-alias": "false",
    }),
  );

/** DeleteBucket. */
export const deleteBucket: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* world.commit((changes) =>
    Result.flatMap(requireBucket(world, call.bucket), () => {
      if (!isBucketEmpty(world.database, call.bucket)) {
        return Result.fail(
          s3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty", {
            BucketName: call.bucket,
          }),
        );
      }
      for (const { uploadId } of uploadsOf(world.database, call.bucket, "")) {
        changes.garbage.push(...removeUpload(world.database, uploadId));
      }
      deleteBucketRow(world.database, call.bucket);
      return Result.void;
    }),
  );
  return emptyResponse(204);
});

/** GetBucketLocation; us-east-1 is the empty constraint. */
export const getBucketLocation: BucketOperation = (world, call) =>
  Effect.map(Effect.fromResult(requireBucket(world, call.bucket)), () =>
    xmlResponse(element("LocationConstraint")),
  );

/** ListBuckets. */
export const listAllBuckets = Effect.fnUntraced(function* (
  world: S3World,
  call: AuthenticatedCall,
): Effect.fn.Return<AwsResponse, AwsError> {
  const prefix = call.query.get("prefix") ?? "";
  const region = call.query.get("bucket-region");
  const limitText = call.query.get("max-buckets") ?? String(bucketsPageMax);
  const limit = /^\d{1,5}$/u.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > bucketsPageMax) {
    return yield* invalidArgument(
      "max-buckets",
      limitText,
      "Argument max-buckets must be an integer between 1 and 10000",
    );
  }
  const after = Buffer.from(call.query.get("continuation-token") ?? "", "base64url").toString();
  const found =
    region === undefined || region === localAccount.region
      ? listBuckets(world.database, { prefix, after, limit: limit + 1 })
      : [];
  const buckets = found.slice(0, limit);
  const last = found.length > limit ? buckets.at(-1)?.name : undefined;
  return xmlResponse(
    element(
      "ListAllMyBucketsResult",
      ownerXml(),
      element(
        "Buckets",
        ...buckets.map((bucket) =>
          element(
            "Bucket",
            element("Name", bucket.name),
            element("CreationDate", isoTime(bucket.createdMs)),
            element("BucketRegion", localAccount.region),
          ),
        ),
      ),
      optionalElement("Prefix", call.query.get("prefix")),
      last === undefined
        ? undefined
        : element("ContinuationToken", Buffer.from(last).toString("base64url")),
    ),
  );
});

/** True when the call is held to another owner than ours. */
export const hasForeignOwner = (call: Pick<BucketCall, "headers">): boolean => {
  const owner = call.headers["x-amz-expected-bucket-owner"];
  return owner !== undefined && owner !== localAccount.accountId;
};
