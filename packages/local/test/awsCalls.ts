/** Promises of the SDK as effects, and the errors they end with. */
import { assert } from "@effect/vitest";
import { CreateBucketCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { Effect } from "effect";
import { randomBytes } from "node:crypto";
import { LocalS3 } from "./localS3.ts";

export const call = <A>(run: () => Promise<A>) => Effect.promise(run);

/** The error that a command ends with; success is a failure of the test. */
export const refusal = (promise: Promise<unknown>) =>
  call(() =>
    promise.then(
      () => assert.fail("the command succeeded"),
      (error: unknown) =>
        error instanceof S3ServiceException
          ? { code: error.name, status: error.$metadata.httpStatusCode, message: error.message }
          : assert.fail(String(error)),
    ),
  );

/** A new bucket with a name of its own, and the client of the test's server. */
export const freshBucket = Effect.gen(function* () {
  const { client } = yield* LocalS3;
  const Bucket = `bucket-${randomBytes(6).toString("hex")}`;
  yield* call(() => client.send(new CreateBucketCommand({ Bucket })));
  return { client, Bucket };
});

/** The text of a body that the SDK gave. */
export const textOfBody = (body: { transformToString: () => Promise<string> } | undefined) =>
  call(() => body?.transformToString() ?? Promise.reject(new Error("no body")));
