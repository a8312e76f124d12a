/**
 * What a bucket can be configured with here: versioning and EventBridge notifications.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html,
 * API_PutBucketNotificationConfiguration.html
 */
import { Effect, Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import { setEventBridge, setVersioning } from "./Buckets.ts";
import type { BucketOperation } from "./calls.ts";
import { emptyResponse, readDocument, xmlResponse } from "./calls.ts";
import { malformedXml, notImplemented, s3Error } from "./s3Error.ts";
import { requireBucket } from "./S3World.ts";
import { element, parseXml, textOf } from "./xml.ts";

/** GetBucketVersioning; a bucket that never had versioning has no status. */
export const getBucketVersioning: BucketOperation = (world, call) =>
  Effect.map(Effect.fromResult(requireBucket(world, call.bucket)), ({ versioning }) =>
    xmlResponse(
      element(
        "VersioningConfiguration",
        versioning === "" ? undefined : element("Status", versioning),
      ),
    ),
  );

/** PutBucketVersioning. */
export const putBucketVersioning: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  if (call.headers["x-amz-mfa"] !== undefined) {
    return yield* notImplemented("PutBucketVersioning", "x-amz-mfa");
  }
  const root = yield* parseXml(yield* readDocument(call), "VersioningConfiguration");
  if (textOf(root, "MfaDelete") === "Enabled") {
    return yield* notImplemented("PutBucketVersioning", "MfaDelete");
  }
  const status = textOf(root, "Status");
  if (status === undefined) {
    return yield* s3Error(
      400,
      "IllegalVersioningConfigurationException",
      "The Versioning element must be specified",
    );
  }
  if (status !== "Enabled" && status !== "Suspended") return yield* malformedXml();
  yield* world.commit(() =>
    Result.map(requireBucket(world, call.bucket), () =>
      setVersioning(world.database, call.bucket, status),
    ),
  );
  return emptyResponse(200);
});

/** GetBucketNotificationConfiguration. */
export const getBucketNotification: BucketOperation = (world, call) =>
  Effect.map(Effect.fromResult(requireBucket(world, call.bucket)), ({ eventBridge }) =>
    xmlResponse(
      element(
        "NotificationConfiguration",
        eventBridge === 1 ? element("EventBridgeConfiguration") : undefined,
      ),
    ),
  );

/** PutBucketNotificationConfiguration: EventBridge on or off; other destinations are refused by name. */
export const putBucketNotification: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const root = yield* parseXml(yield* readDocument(call), "NotificationConfiguration");
  const names = root.children.map(([name]) => name);
  yield* Effect.forEach(names, checkDestination, { discard: true });
  const isOn = names.includes("EventBridgeConfiguration");
  yield* world.commit(() =>
    Result.map(requireBucket(world, call.bucket), () =>
      setEventBridge(world.database, call.bucket, isOn),
    ),
  );
  return emptyResponse(200);
});

const refusedDestinations: Readonly<Record<string, string>> = {
  QueueConfiguration: "QueueConfigurations",
  TopicConfiguration: "TopicConfigurations",
  CloudFunctionConfiguration: "LambdaFunctionConfigurations",
};

const checkDestination = (name: string): Effect.Effect<void, AwsError> => {
  if (name === "EventBridgeConfiguration") return Effect.void;
  const refused = refusedDestinations[name];
  return Effect.fail(
    refused === undefined
      ? malformedXml()
      : notImplemented("PutBucketNotificationConfiguration", refused),
  );
};
