/**
 * The object store on S3.
 *
 * Reads name the version (or the ETag) of the event, so that an overwrite in between is seen and never read by
 * mistake. Writes of unknown length are multipart uploads (see s3Writer).
 */
import {
  CopyObjectCommand,
  GetObjectCommand,
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
        open: (ref, options) => open(client, ref, options?.bytesMax),
        read: (ref, options) => read(client, ref, options?.bytesMax),
        writer: (target) => openWriter(client, target),
        put: (target, body) => put(client, target, body),
        copy: (ref, target) => copy(client, ref, target),
      }),
    ),
  );

const empty = "empty" as const;
const isEmpty = (error: unknown): error is typeof empty => error === empty;

const read = (client: S3Client, ref: ObjectRef, bytesMax: number | undefined) =>
  Stream.unwrap(Effect.map(open(client, ref, bytesMax), ({ body }) => body));

const open = (client: S3Client, ref: ObjectRef, bytesMax: number | undefined) =>
  Effect.acquireRelease(
    getObject(client, ref, bytesMax).pipe(
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

const getObject = (client: S3Client, ref: ObjectRef, bytesMax: number | undefined) =>
  Effect.tryPromise({
    try: (signal) =>
      client.send(
        new GetObjectCommand({
          Bucket: ref.bucket,
          Key: ref.key,
          ...(ref.versionId === undefined
            ? { IfMatch: `"${ref.etag}"` }
            : { VersionId: ref.versionId }),
          ...(bytesMax !== undefined && { Range: `bytes=0-${bytesMax - 1}` }),
        }),
        { abortSignal: signal },
      ),
    catch: (error) => (statusOf(error) === 416 ? empty : readFailure("read", ref, error)),
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

const copySource = ({ bucket, key, versionId }: ObjectRef): string =>
  `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}` +
  (versionId === undefined ? "" : `?versionId=${versionId}`);
