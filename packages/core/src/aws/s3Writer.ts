/**
 * An S3 object written piece by piece: one request when it is small, a multipart upload when it is not.
 *
 * Nothing is visible before `complete`; what is given up is aborted when the scope closes.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Effect } from "effect";
import { PassThrough } from "node:stream";
import type { ObjectTarget, ObjectWriter } from "../ObjectStore.ts";
import { writeFailure } from "./s3Failure.ts";

/** Part size, in bytes. S3 allows 10,000 parts: 80 GB at this size, with one part in memory. */
const partBytes = 8 * 1024 * 1024;

/** The parameters by which every kind of write names its object. */
export const targetParams = (target: ObjectTarget) => ({
  Bucket: target.bucket,
  Key: target.key,
  ContentType: target.contentType,
  ...(target.metadata && { Metadata: { ...target.metadata } }),
});

/** S3 quotes ETags. */
export const unquote = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");

export const openWriter = Effect.fnUntraced(function* (client: S3Client, target: ObjectTarget) {
  const body = new PassThrough({ highWaterMark: partBytes });
  const upload = new Upload({
    client,
    params: { ...targetParams(target), Body: body },
    partSize: partBytes,
    queueSize: 1,
  });
  const done = upload.done();
  // Whoever writes or completes hears of a failure; until then it must not end the process.
  done.catch(() => undefined);
  let completed = false;
  yield* Effect.addFinalizer(() =>
    completed
      ? Effect.void
      : Effect.promise(async () => {
          // Not `upload.abort()`: it answers before the parts are removed. Without its source the upload fails, removes
          // its parts, and only then is done.
          body.destroy(new Error("the writer was given up"));
          await done.catch(() => undefined);
        }),
  );
  const failed = (error: unknown) => writeFailure("write", target, error);
  const writer: ObjectWriter = {
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
  return writer;
});

/** Resolves when the bytes are taken: the only back-pressure between producer and upload. */
const writeTo = (body: PassThrough, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    body.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

/** Never resolves; rejects when the upload fails, so that a writer does not wait for a reader that is gone. */
const failureOf = (done: Promise<unknown>): Promise<never> =>
  done.then(() => new Promise<never>(() => undefined));
