/**
 * The object store on S3.
 *
 * Reads name the version (or the ETag) of the event, so that an overwrite in between is seen and never read by
 * mistake. Writes of unknown length are multipart uploads (see s3Writer).
 */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { Effect, Layer, Stream } from "effect";
import { Readable } from "node:stream";
import type { ObjectRef } from "../ObjectEvent.ts";
import {
  ObjectStore,
  type ObjectTarget,
  type OpenedObject,
  type ReadFailure,
  type ReadRange,
} from "../ObjectStore.ts";
import { openS3Client } from "./s3Client.ts";
import { statusOf } from "./awsFailure.ts";
import { readFailure, writeFailure } from "./s3Failure.ts";
import { openWriter, targetParams, unquote } from "./s3Writer.ts";

/** The store of the process's own AWS configuration, or of the one given. */
export const layerS3 = (config: S3ClientConfig = {}): Layer.Layer<ObjectStore> =>
  Layer.effect(
    ObjectStore,
    Effect.map(openS3Client(config), (client) =>
      ObjectStore.of({
        open: (ref, options) => open(client, ref, options),
        read: (ref, options) => read(client, ref, options),
        newest: (at) => newest(client, at),
        writer: (target) => openWriter(client, target),
        put: (target, body) => put(client, target, body),
        copy: (ref, target) => copy(client, ref, target),
        remove: (target) => remove(client, target),
      }),
    ),
  );

const empty = "empty" as const;
const isEmpty = (error: unknown): error is typeof empty => error === empty;

const read = (client: S3Client, ref: ObjectRef, range: ReadRange | undefined) =>
  Stream.unwrap(Effect.map(open(client, ref, range), ({ body }) => body));

const open = (client: S3Client, ref: ObjectRef, range: ReadRange | undefined) =>
  Effect.acquireRelease(
    getObject(client, ref, range).pipe(
      // A range of an empty object cannot be satisfied: the object is there, and has no bytes.
      Effect.catchIf(isEmpty, () => getObject(client, ref, undefined)),
      Effect.catchIf(isEmpty, () => Effect.fail(readFailure("read", ref, empty))),
    ),
    ({ Body }) => Effect.sync(() => Body instanceof Readable && Body.destroy()),
    { interruptible: true },
  ).pipe(
    Effect.map(({ Body, Metadata = {} }): OpenedObject => ({
      metadata: Metadata,
      body: bodyStream(Body, ref),
    })),
  );

/** The header's value; nothing when all is read. */
const rangeHeader = ({ bytesMax, fromByte = 0 }: ReadRange): string | undefined => {
  if (bytesMax !== undefined) return `bytes=${fromByte}-${fromByte + bytesMax - 1}`;
  return fromByte === 0 ? undefined : `bytes=${fromByte}-`;
};

const getObject = (client: S3Client, ref: ObjectRef, range: ReadRange = {}) =>
  Effect.tryPromise({
    try: (signal) =>
      client.send(
        new GetObjectCommand({
          Bucket: ref.bucket,
          Key: ref.key,
          ...(ref.versionId === undefined
            ? { IfMatch: `"${ref.etag}"` }
            : { VersionId: ref.versionId }),
          Range: rangeHeader(range),
        }),
        { abortSignal: signal },
      ),
    catch: (error) => (statusOf(error) === 416 ? empty : readFailure("read", ref, error)),
  });

const newest = (client: S3Client, { bucket, key }: Pick<ObjectRef, "bucket" | "key">) =>
  Effect.tryPromise({
    try: async (signal): Promise<ObjectRef> => {
      const { ETag, VersionId } = await client.send(
        new HeadObjectCommand({ Bucket: bucket, Key: key }),
        { abortSignal: signal },
      );
      const etag = unquote(ETag);
      // An object from before a bucket had versions, or in one without, has none to be read by.
      return VersionId === undefined || VersionId === "null"
        ? { bucket, key, etag }
        : { bucket, key, etag, versionId: VersionId };
    },
    catch: (error) => readFailure("look at", { bucket, key, etag: "" }, error),
  });

const bodyStream = (body: unknown, ref: ObjectRef): Stream.Stream<Uint8Array, ReadFailure> =>
  body instanceof Readable
    ? Stream.fromAsyncIterable<Uint8Array, ReadFailure>(body, (error) =>
        readFailure("read", ref, error),
      )
    : Stream.empty;

const put = (client: S3Client, target: ObjectTarget, body: Uint8Array | string) =>
  Effect.tryPromise({
    try: async () => {
      const result = await client.send(
        new PutObjectCommand({ ...targetParams(target), Body: body }),
      );
      return { etag: unquote(result.ETag) };
    },
    catch: (error) => writeFailure("put", target, error),
  });

const copy = (client: S3Client, ref: ObjectRef, target: ObjectTarget) =>
  Effect.tryPromise({
    try: () =>
      client.send(
        new CopyObjectCommand({
          ...targetParams(target),
          CopySource: copySource(ref),
          ...(ref.versionId === undefined && { CopySourceIfMatch: `"${ref.etag}"` }),
          MetadataDirective: "REPLACE",
        }),
      ),
    catch: (error) => readFailure("copy", ref, error),
  }).pipe(Effect.asVoid);

const remove = (client: S3Client, target: Pick<ObjectTarget, "bucket" | "key">) =>
  Effect.tryPromise({
    try: () => client.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: target.key })),
    catch: (error) => writeFailure("remove", target, error),
  }).pipe(Effect.asVoid);

const copySource = ({ bucket, key, versionId }: ObjectRef): string =>
  `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}` +
  (versionId === undefined ? "" : `?versionId=${versionId}`);
