/**
 * The object store on S3.
 *
 * Reads name the version (or the ETag) of the event, so that an overwrite in between is seen and never read by
 * mistake. Writes of unknown length are multipart uploads: nothing is visible before they are completed, and one that
 * is given up is aborted.
 */
import {
  CopyObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Effect, Layer, Stream } from "effect";
import { PassThrough, Readable } from "node:stream";
import type { ObjectRef } from "../ObjectEvent.ts";
import {
  ObjectChanged,
  ObjectDenied,
  ObjectGone,
  ObjectStore,
  ObjectStoreUnavailable,
  type ObjectTarget,
  type ReadFailure,
  type WriteFailure,
} from "../ObjectStore.ts";

/** Part size of a multipart upload, in bytes. S3 allows 10,000 parts: 80 GB at this size, with one part in memory. */
const partBytes = 8 * 1024 * 1024;

/** Longest silence of S3 before a request is given up, in milliseconds. */
const requestTimeoutMs = 30_000;

/** The store of the process's own AWS configuration, or of the one given. */
export const layerS3 = (config: S3ClientConfig = {}): Layer.Layer<ObjectStore> =>
  Layer.effect(
    ObjectStore,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new S3Client({
              requestHandler: {
                requestTimeout: requestTimeoutMs,
                // Else the time-out is only logged.
                throwOnRequestTimeout: true,
                connectionTimeout: 2_000,
              },
              ...config,
            }),
        ),
        (client) => Effect.sync(() => client.destroy()),
      ),
      make,
    ),
  );

const make = (client: S3Client): ObjectStore["Service"] =>
  ObjectStore.of({
    read: (ref, options) =>
      Stream.unwrap(
        Effect.tryPromise({
          try: (signal) =>
            client.send(
              new GetObjectCommand({
                Bucket: ref.bucket,
                Key: ref.key,
                ...(ref.versionId === undefined
                  ? { IfMatch: `"${ref.etag}"` }
                  : { VersionId: ref.versionId }),
                ...(options?.bytesMax !== undefined && {
                  Range: `bytes=0-${options.bytesMax - 1}`,
                }),
              }),
              { abortSignal: signal },
            ),
          // A range of an empty object cannot be satisfied: the object is there, and has no bytes.
          catch: (error) => (statusOf(error) === 416 ? empty : readFailure("read", ref, error)),
        }).pipe(
          Effect.map(({ Body }) => bodyStream(Body, ref)),
          Effect.catchIf(isEmpty, () => Effect.succeed(Stream.empty)),
        ),
      ),

    writer: Effect.fnUntraced(function* (target) {
      const body = new PassThrough({ highWaterMark: partBytes });
      const upload = new Upload({
        client,
        params: { ...targetParams(target), Body: body },
        partSize: partBytes,
        queueSize: 1,
      });
      const done = upload.done();
      // Whoever completes the writer hears of it; until then a failure must not end the process.
      done.catch(() => undefined);
      let completed = false;
      yield* Effect.addFinalizer(() =>
        completed
          ? Effect.void
          : Effect.promise(async () => {
              // Not `upload.abort()`: it answers before the parts are removed. Without its source the upload fails,
              // removes its parts, and only then is done.
              body.destroy(new Error("the writer was given up"));
              await done.catch(() => undefined);
            }),
      );
      const failed = (error: unknown) => writeFailure("write", target, error);
      return {
        write: (bytes) =>
          Effect.tryPromise({
            try: () => Promise.race([writeTo(body, bytes), failureOf(done)]),
            catch: failed,
          }),
        complete: Effect.tryPromise({
          try: async () => {
            body.end();
            const result = await done;
            completed = true;
            return { etag: unquote(result.ETag) };
          },
          catch: failed,
        }),
      };
    }),

    put: (target, body) =>
      Effect.tryPromise({
        try: async () => {
          const result = await client.send(
            new PutObjectCommand({ ...targetParams(target), Body: body }),
          );
          return { etag: unquote(result.ETag) };
        },
        catch: (error) => writeFailure("put", target, error),
      }),

    copy: (ref, target) =>
      Effect.tryPromise({
        try: () =>
          client.send(
            new CopyObjectCommand({
              ...targetParams(target),
              CopySource:
                `${ref.bucket}/${ref.key.split("/").map(encodeURIComponent).join("/")}` +
                (ref.versionId === undefined ? "" : `?versionId=${ref.versionId}`),
              ...(ref.versionId === undefined && { CopySourceIfMatch: `"${ref.etag}"` }),
              MetadataDirective: "REPLACE",
            }),
          ),
        catch: (error) => readFailure("copy", ref, error),
      }).pipe(Effect.asVoid),
  });

const targetParams = (target: ObjectTarget) => ({
  Bucket: target.bucket,
  Key: target.key,
  ContentType: target.contentType,
  ...(target.metadata && { Metadata: { ...target.metadata } }),
});

const bodyStream = (body: unknown, ref: ObjectRef): Stream.Stream<Uint8Array, ReadFailure> =>
  body instanceof Readable
    ? Stream.fromAsyncIterable<Uint8Array, ReadFailure>(body, (error) =>
        readFailure("read", ref, error),
      )
    : Stream.empty;

/** Resolves when the stream has room again: the only back-pressure between producer and upload. */
const writeTo = (body: PassThrough, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    body.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

/** Never resolves; rejects when the upload fails, so that a writer does not wait for a reader that is gone. */
const failureOf = (done: Promise<unknown>): Promise<never> =>
  done.then(() => new Promise<never>(() => undefined));

const unquote = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");

const empty = "empty" as const;
const isEmpty = (error: unknown): error is typeof empty => error === empty;

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

const readFailure = (
  operation: string,
  { bucket, etag, key }: ObjectRef,
  error: unknown,
): ReadFailure => {
  const status = statusOf(error);
  // 405 is the answer for a version that is a delete marker.
  if (status === 404 || status === 405) return new ObjectGone({ bucket, key });
  if (status === 412) return new ObjectChanged({ bucket, key, etag });
  return writeFailure(operation, { bucket, key }, error);
};

const writeFailure = (
  operation: string,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  error: unknown,
): WriteFailure =>
  statusOf(error) === 403
    ? new ObjectDenied({ bucket, key, operation })
    : new ObjectStoreUnavailable({ bucket, key, operation, cause: error });
