/**
 * "An object was created", in the one form that the product works with, whatever announced it.
 *
 * Keys are decoded here and nowhere else. An EventBridge event carries the key as it is; an S3 notification record
 * carries it form-encoded. Decoding a plain key would break `a+b` and `%2B`, so each source has its own adapter.
 *
 * Units:  `sizeBytes` bytes; `eventEpochMs` milliseconds since the Unix epoch
 * Source: AWS S3 user guide, "EventBridge event message structure" and "Event message structure"
 */
import { DateTime, Option, Schema } from "effect";

/** One version of one object. */
export const ObjectRef = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  /** Only where the bucket is versioned. */
  versionId: Schema.optionalKey(Schema.String),
  etag: Schema.String,
});
export type ObjectRef = typeof ObjectRef.Type;

/** The announced object. */
export const ObjectCreated = Schema.Struct({
  ...ObjectRef.fields,
  sizeBytes: Schema.Int,
  /** Orders the events of one key: compared as text after right-padding with zeros. */
  sequencer: Schema.String,
  eventEpochMs: Schema.Finite,
});
export type ObjectCreated = typeof ObjectCreated.Type;

/** An object event with what surrounds it: not part of what a workflow is started with. */
export interface ObjectAnnouncement {
  readonly object: ObjectCreated;
  /** Set when the event comes from an archive replay. */
  readonly replayName: string | undefined;
}

/** Names the version for people and for keys: `bucket/key@version`, with the ETag where there are no versions. */
export const objectName = (ref: ObjectRef): string =>
  `${ref.bucket}/${ref.key}@${ref.versionId ?? ref.etag}`;

/** The identity of the upload: two uploads of the same bytes to one unversioned key differ by their sequencer. */
export const objectIdentity = (object: ObjectCreated): string =>
  object.versionId === undefined
    ? `${object.bucket}/${object.key}@${object.etag}#${object.sequencer}`
    : `${object.bucket}/${object.key}@${object.versionId}`;

/** S3's event as EventBridge delivers it; fields that AWS adds are let through. */
export const ObjectCreatedEnvelope = Schema.Struct({
  source: Schema.Literal("aws.s3"),
  "detail-type": Schema.Literal("Object Created"),
  time: Schema.String,
  "replay-name": Schema.optionalKey(Schema.String),
  detail: Schema.Struct({
    bucket: Schema.Struct({ name: Schema.String }),
    object: Schema.Struct({
      key: Schema.String,
      size: Schema.optionalKey(Schema.Int),
      etag: Schema.String,
      "version-id": Schema.optionalKey(Schema.String),
      sequencer: Schema.optionalKey(Schema.String),
    }),
  }),
});

/** Any other event on the bus. */
export const OtherEnvelope = Schema.Struct({
  source: Schema.String,
  "detail-type": Schema.String,
});

/** S3's classic notification, delivered without EventBridge. */
export const S3Notification = Schema.Struct({
  Records: Schema.Array(
    Schema.Struct({
      eventSource: Schema.Literal("aws:s3"),
      eventName: Schema.String,
      eventTime: Schema.String,
      s3: Schema.Struct({
        bucket: Schema.Struct({ name: Schema.String }),
        object: Schema.Struct({
          key: Schema.String,
          size: Schema.optionalKey(Schema.Int),
          eTag: Schema.optionalKey(Schema.String),
          versionId: Schema.optionalKey(Schema.String),
          sequencer: Schema.optionalKey(Schema.String),
        }),
      }),
    }),
  ),
});

/** What S3 sends once when notifications are switched on. */
export const S3TestEvent = Schema.Struct({
  Service: Schema.Literal("Amazon S3"),
  Event: Schema.Literal("s3:TestEvent"),
  Bucket: Schema.String,
});

/** Reads the key of a notification record: `+` is a space, `%xx` are UTF-8 bytes. */
export const decodeNotificationKey = (key: string): Option.Option<string> =>
  Option.liftThrowable((text: string) => decodeURIComponent(text.replaceAll("+", " ")))(key);

const epochMs = (time: string): Option.Option<number> =>
  Option.map(DateTime.make(time), DateTime.toEpochMillis);

/** The announcement in an EventBridge envelope; none when its time cannot be read. */
export const fromEnvelope = (
  envelope: typeof ObjectCreatedEnvelope.Type,
): Option.Option<ObjectAnnouncement> => {
  const { bucket, object } = envelope.detail;
  return Option.map(epochMs(envelope.time), (eventEpochMs) => ({
    object: {
      bucket: bucket.name,
      key: object.key,
      ...(object["version-id"] !== undefined && { versionId: object["version-id"] }),
      etag: object.etag,
      sizeBytes: object.size ?? 0,
      sequencer: object.sequencer ?? "",
      eventEpochMs,
    },
    replayName: envelope["replay-name"],
  }));
};

const encodeEnvelope = Schema.encodeSync(Schema.fromJsonString(ObjectCreatedEnvelope));

/** The object as the text of an event that reads as the same object: what to send again to announce it once more. */
export const toEventText = (object: ObjectCreated): string =>
  encodeEnvelope({
    source: "aws.s3",
    "detail-type": "Object Created",
    time: DateTime.formatIso(DateTime.makeUnsafe(object.eventEpochMs)),
    detail: {
      bucket: { name: object.bucket },
      object: {
        key: object.key,
        size: object.sizeBytes,
        etag: object.etag,
        sequencer: object.sequencer,
        ...(object.versionId !== undefined && { "version-id": object.versionId }),
      },
    },
  });

/** The announcement in a notification record; none when its key or time cannot be read. */
export const fromRecord = (
  record: (typeof S3Notification.Type)["Records"][number],
): Option.Option<ObjectAnnouncement> => {
  const { bucket, object } = record.s3;
  return Option.map(
    Option.all([decodeNotificationKey(object.key), epochMs(record.eventTime)]),
    ([key, eventEpochMs]) => ({
      object: {
        bucket: bucket.name,
        key,
        ...(object.versionId !== undefined && { versionId: object.versionId }),
        etag: object.eTag ?? "",
        sizeBytes: object.size ?? 0,
        sequencer: object.sequencer ?? "",
        eventEpochMs,
      },
      replayName: undefined,
    }),
  );
};
