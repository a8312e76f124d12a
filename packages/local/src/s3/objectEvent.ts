/**
 * The events that S3 sends to EventBridge for a bucket that has them switched on.
 *
 * Shape:  the key is plain text (only the classic notification format encodes it); `version-id` only with versioning;
 *         `sequencer` grows per key and is compared as a left-padded hexadecimal number
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
import { Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { localAccount } from "../LocalAccount.ts";
import type { BucketRow } from "./S3Tables.ts";
import { nextSequencer } from "./Versions.ts";

export const ObjectEvent = Schema.Struct({
  source: Schema.Literal("aws.s3"),
  "detail-type": Schema.String,
  resources: Schema.Array(Schema.String),
  detail: Schema.Record(Schema.String, Schema.Unknown),
});
export type ObjectEvent = typeof ObjectEvent.Type;

/** Why an object came to be, as the event names it. */
export type CreatedReason = "PutObject" | "POST Object" | "CopyObject" | "CompleteMultipartUpload";

interface EventObject {
  readonly key: string;
  readonly etag?: string;
  readonly size?: number;
  readonly versionId: string;
}

interface Cause {
  readonly database: DatabaseSync;
  readonly bucket: BucketRow;
  readonly requestId: string;
}

export const objectCreated = (
  cause: Cause,
  object: Required<EventObject>,
  reason: CreatedReason,
): ReadonlyArray<ObjectEvent> =>
  event(cause, "Object Created", {
    object: { ...eventObject(cause, object), sequencer: nextSequencer(cause.database) },
    extra: { reason },
  });

export const objectDeleted = (
  cause: Cause,
  object: EventObject,
  deletionType: "Permanently Deleted" | "Delete Marker Created",
): ReadonlyArray<ObjectEvent> =>
  event(cause, "Object Deleted", {
    object: { ...eventObject(cause, object), sequencer: nextSequencer(cause.database) },
    extra: { reason: "DeleteObject", "deletion-type": deletionType },
  });

export const objectTags = (
  cause: Cause,
  object: EventObject,
  change: "Object Tags Added" | "Object Tags Deleted",
): ReadonlyArray<ObjectEvent> => event(cause, change, { object: eventObject(cause, object) });

const eventObject = (
  { bucket }: Cause,
  object: EventObject,
): Readonly<Record<string, unknown>> => ({
  key: object.key,
  ...(object.size === undefined ? {} : { size: object.size }),
  ...(object.etag === undefined ? {} : { etag: object.etag }),
  ...(bucket.versioning === "" ? {} : { "version-id": object.versionId }),
});

const event = (
  { bucket, requestId }: Cause,
  detailType: string,
  content: {
    readonly object: Readonly<Record<string, unknown>>;
    readonly extra?: Readonly<Record<string, string>>;
  },
): ReadonlyArray<ObjectEvent> =>
  bucket.eventBridge === 0
    ? []
    : [
        {
          source: "aws.s3",
          "detail-type": detailType,
          resources: [`arn:aws:s3:::${bucket.name}`],
          detail: {
            version: "0",
            bucket: { name: bucket.name },
            object: content.object,
            "request-id": requestId,
            requester: localAccount.accountId,
            "source-ip-address": "127.0.0.1",
            ...content.extra,
          },
        },
      ];
