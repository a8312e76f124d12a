/**
 * Goal: every failure of an AWS client has the class that decides what is retried.
 * Method: the real clients, on a connection that gives the answers of the services' documentation.
 */
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { assert, describe, it } from "@effect/vitest";
import {
  type FailureClass,
  ObjectStore,
  ObjectStoreUnavailable,
  retryAfterMsOf,
} from "@millrace/core";
import { awsFailure, S3ObjectStore } from "@millrace/core/aws";
import { Effect, Schema, Stream } from "effect";
import { createServer } from "node:net";
import { Readable } from "node:stream";

interface Answer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const config = (answer: Answer) => ({
  region: "us-east-1",
  endpoint: "http://127.0.0.1:1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
  requestHandler: {
    handle: async () => ({
      response: {
        statusCode: answer.statusCode,
        headers: answer.headers ?? {},
        body: new TextEncoder().encode(answer.body ?? ""),
      },
    }),
  },
});

/** What the promise is rejected with. */
const rejection = (run: () => Promise<unknown>): Promise<unknown> =>
  run().then(
    () => Promise.reject(new Error("the request succeeded")),
    (error: unknown) => error,
  );

const ask = {
  dynamo: (statusCode: number, code: string, headers = {}) =>
    rejection(() =>
      new DynamoDBClient(
        config({ statusCode, headers, body: JSON.stringify({ __type: `x#${code}` }) }),
      ).send(new ListTablesCommand({})),
    ),
  sqs: (statusCode: number, code: string, headers = {}) =>
    rejection(() =>
      new SQSClient(
        config({ statusCode, headers, body: JSON.stringify({ __type: `x#${code}` }) }),
      ).send(new ListQueuesCommand({})),
    ),
  sns: (statusCode: number, code: string, headers = {}) =>
    rejection(() =>
      new SNSClient(
        config({
          statusCode,
          headers,
          body: `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`,
        }),
      ).send(new ListTopicsCommand({})),
    ),
  s3: (statusCode: number, code: string, headers = {}) =>
    rejection(() =>
      new S3Client(
        config({ statusCode, headers, body: `<Error><Code>${code}</Code></Error>` }),
      ).send(new ListBucketsCommand({})),
    ),
};

const answers: ReadonlyArray<readonly [keyof typeof ask, number, string, FailureClass]> = [
  ["dynamo", 400, "ProvisionedThroughputExceededException", "throttled"],
  ["dynamo", 400, "ThrottlingException", "throttled"],
  ["dynamo", 400, "RequestLimitExceeded", "throttled"],
  ["dynamo", 400, "TransactionConflictException", "transient"],
  ["dynamo", 400, "ExpiredTokenException", "transient"],
  ["dynamo", 500, "InternalServerError", "transient"],
  ["dynamo", 400, "ValidationException", "permanent"],
  ["dynamo", 400, "ResourceNotFoundException", "permanent"],
  ["dynamo", 400, "AccessDeniedException", "permanent"],
  ["sqs", 403, "RequestThrottled", "throttled"],
  ["sqs", 400, "KmsThrottled", "throttled"],
  ["sqs", 400, "QueueDoesNotExist", "permanent"],
  ["sns", 400, "KMSThrottling", "throttled"],
  ["sns", 429, "Throttled", "throttled"],
  ["sns", 400, "KMSAccessDenied", "permanent"],
  ["s3", 503, "SlowDown", "throttled"],
  ["s3", 400, "RequestTimeout", "timeout"],
  ["s3", 409, "OperationAborted", "transient"],
  ["s3", 403, "RequestTimeTooSkewed", "transient"],
  ["s3", 503, "ServiceUnavailable", "transient"],
  ["s3", 404, "NoSuchUpload", "transient"],
  ["s3", 400, "BadDigest", "transient"],
  ["s3", 404, "NoSuchBucket", "permanent"],
  ["s3", 403, "AccessDenied", "permanent"],
  ["s3", 429, "Whatever", "throttled"],
  ["s3", 504, "Whatever", "timeout"],
];

describe("an AWS failure", () => {
  it.effect.each(answers)("%s %d %s is %s", ([service, status, code, expected]) =>
    Effect.gen(function* () {
      const error = yield* Effect.promise(() => ask[service](status, code));
      assert.strictEqual(awsFailure(error).failureClass, expected);
      assert.strictEqual(awsFailure(error).cause, error);
    }),
  );

  it.effect.each([
    ["retry-after", "3", 3_000],
    ["x-amz-retry-after", "1500", 1_500],
  ] as const)("that says %s is throttled for so long", ([header, text, expectedMs]) =>
    Effect.gen(function* () {
      const error = yield* Effect.promise(() =>
        ask.s3(503, "ServiceUnavailable", { [header]: text }),
      );
      assert.deepStrictEqual(awsFailure(error), {
        cause: error,
        failureClass: "throttled",
        retryAfterMs: expectedMs,
      });
      const refused = yield* Effect.promise(() => ask.s3(403, "AccessDenied", { [header]: text }));
      assert.strictEqual(awsFailure(refused).failureClass, "permanent");
    }),
  );

  it.live("that had no answer is transient, one that waited too long a time-out", () =>
    Effect.gen(function* () {
      const open = { ...config({ statusCode: 200 }), maxAttempts: 1 };
      const refused = yield* Effect.promise(() =>
        rejection(() =>
          new DynamoDBClient({ ...open, requestHandler: {} }).send(new ListTablesCommand({})),
        ),
      );
      assert.strictEqual(awsFailure(refused).failureClass, "transient");
      const silent = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer();
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)));
        }),
        (server) => Effect.sync(() => server.close()),
      );
      const address = silent.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const waited = yield* Effect.promise(() =>
        rejection(() =>
          new DynamoDBClient({
            ...open,
            endpoint: `http://127.0.0.1:${port}`,
            requestHandler: { requestTimeout: 50, throwOnRequestTimeout: true },
          }).send(new ListTablesCommand({})),
        ),
      );
      assert.strictEqual(awsFailure(waited).failureClass, "timeout");
    }),
  );

  it("that no client and no network throws is a defect", () => {
    assert.strictEqual(awsFailure(new TypeError("x is not a function")).failureClass, "defect");
    assert.strictEqual(awsFailure("text").failureClass, "defect");
  });

  it.effect("that breaks a transfer of bytes off is transient, whatever it is called", () =>
    Effect.gen(function* () {
      const brokenOff = new Readable({
        read() {
          this.destroy(new Error("Checksum mismatch: expected a, got b"));
        },
      });
      const connection = {
        region: "us-east-1",
        credentials: { accessKeyId: "test", secretAccessKey: "test" },
        requestHandler: {
          handle: async () => ({ response: { statusCode: 200, headers: {}, body: brokenOff } }),
        },
      };
      const ref = { bucket: "b", key: "k", etag: "e", size: 1 };
      const failure = yield* ObjectStore.use((store) => Stream.runDrain(store.read(ref))).pipe(
        Effect.provide(S3ObjectStore.layerS3(connection)),
        Effect.flip,
      );
      assert.deepInclude(failure, { _tag: "ObjectStoreUnavailable", failureClass: "transient" });
    }),
  );

  it.effect("keeps its class and its pause when the error that passes it on is recorded", () =>
    Effect.gen(function* () {
      const about = { bucket: "b", key: "k", operation: "put" };
      const codec = Schema.toCodecJson(ObjectStoreUnavailable);
      const throttled = new ObjectStoreUnavailable({
        ...about,
        ...awsFailure(yield* Effect.promise(() => ask.s3(503, "SlowDown", { "retry-after": "2" }))),
      });
      const read = yield* Schema.decodeEffect(codec)(yield* Schema.encodeEffect(codec)(throttled));
      assert.strictEqual(retryAfterMsOf(read), 2_000);
      // Recorded before errors carried a class.
      const old = yield* Schema.decodeUnknownEffect(codec)({
        _tag: "ObjectStoreUnavailable",
        ...about,
        cause: { name: "Error", message: "gone" },
      });
      assert.strictEqual(old.failureClass, "transient");
      assert.include(old.message, "try again later");
    }),
  );
});
