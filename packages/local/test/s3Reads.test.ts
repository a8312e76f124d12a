/**
 * Goal: ranges, conditions, and the refusals by name. Method: tables of one request each through the SDK.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
} from "@aws-sdk/client-s3";
import { assert, describe, layer } from "@effect/vitest";
import { Effect } from "effect";
import { createHash } from "node:crypto";
import { call, freshBucket, refusal } from "./awsCalls.ts";
import { layerS3 } from "./localS3.ts";

layer(layerS3)("s3 reads and refusals", (it) => {
  describe("ranges", () => {
    const rows: ReadonlyArray<readonly [string, string | number]> = [
      ["bytes=0-3", "0123"],
      ["bytes=2-", "23456789"],
      ["bytes=-3", "789"],
      ["bytes=-100", "0123456789"],
      ["bytes=5-100", "56789"],
      ["bytes=9-9", "9"],
      ["bytes=10-", 416],
      ["bytes=-0", 416],
      ["bytes=3-1", "0123456789"],
      ["bytes=0-1,4-5", "0123456789"],
      ["lines=0-1", "0123456789"],
    ];
    for (const [Range, expected] of rows) {
      it.effect(`${Range} gives ${expected}`, () =>
        Effect.gen(function* () {
          const { client, Bucket } = yield* freshBucket;
          yield* call(() =>
            client.send(new PutObjectCommand({ Bucket, Key: "digits", Body: "0123456789" })),
          );
          const get = client.send(new GetObjectCommand({ Bucket, Key: "digits", Range }));
          if (typeof expected === "number") {
            const error = yield* refusal(get);
            assert.deepStrictEqual([error.code, error.status], ["InvalidRange", expected]);
            return;
          }
          const got = yield* call(() => get);
          const text = yield* call(() => got.Body?.transformToString() ?? Promise.reject());
          assert.strictEqual(text, expected);
          assert.strictEqual(
            got.$metadata.httpStatusCode,
            got.ContentRange === undefined ? 200 : 206,
          );
        }),
      );
    }
  });

  describe("conditions", () => {
    const past = new Date("2020-01-01T00:00:00Z");
    const future = new Date("2090-01-01T00:00:00Z");
    const etag = `"${createHash("md5").update("x").digest("hex")}"`;
    const reads: ReadonlyArray<readonly [string, object, number]> = [
      ["If-Match with its tag", { IfMatch: etag }, 200],
      ["If-Match with *", { IfMatch: "*" }, 200],
      ["If-Match with another tag", { IfMatch: '"no"' }, 412],
      ["If-None-Match with its tag", { IfNoneMatch: etag }, 304],
      ["If-None-Match with another tag", { IfNoneMatch: '"no"' }, 200],
      ["If-Modified-Since the past", { IfModifiedSince: past }, 200],
      ["If-Modified-Since the future", { IfModifiedSince: future }, 304],
      ["If-Unmodified-Since the past", { IfUnmodifiedSince: past }, 412],
      ["If-Unmodified-Since the future", { IfUnmodifiedSince: future }, 200],
      [
        "a right If-Match beats If-Unmodified-Since",
        { IfMatch: etag, IfUnmodifiedSince: past },
        200,
      ],
      [
        "a failed If-None-Match beats If-Modified-Since",
        { IfNoneMatch: etag, IfModifiedSince: past },
        304,
      ],
    ];
    for (const [name, condition, status] of reads) {
      it.effect(`GET: ${name} answers ${status}`, () =>
        Effect.gen(function* () {
          const { client, Bucket } = yield* freshBucket;
          yield* call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })));
          const get = client.send(new GetObjectCommand({ Bucket, Key: "k", ...condition }));
          const actual =
            status === 200
              ? (yield* call(() => get)).$metadata.httpStatusCode
              : (yield* refusal(get)).status;
          assert.strictEqual(actual, status);
        }),
      );
    }

    it.effect("If-None-Match: * writes once; exactly one of ten writers wins", () =>
      Effect.gen(function* () {
        const { client, Bucket } = yield* freshBucket;
        const put = () =>
          client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", IfNoneMatch: "*" })).then(
            () => 200,
            (error: S3ServiceException) => error.$metadata.httpStatusCode,
          );
        const outcomes = yield* call(() => Promise.all(Array.from({ length: 10 }, put)));
        assert.strictEqual(outcomes.filter((status) => status === 200).length, 1);
        assert.strictEqual(outcomes.filter((status) => status === 412).length, 9);
      }),
    );

    it.effect("If-Match on a write wants the current tag", () =>
      Effect.gen(function* () {
        const { client, Bucket } = yield* freshBucket;
        const put = (IfMatch: string) =>
          client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "y", IfMatch }));
        assert.strictEqual((yield* refusal(put(etag))).status, 404);
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })));
        assert.strictEqual((yield* refusal(put('"no"'))).status, 412);
        yield* call(() => put(etag));
        const stale = yield* refusal(
          client.send(new DeleteObjectCommand({ Bucket, Key: "k", IfMatch: etag })),
        );
        assert.strictEqual(stale.code, "PreconditionFailed");
      }),
    );
  });

  describe("what is not here is refused by name", () => {
    const rows: ReadonlyArray<
      readonly [string, (client: S3Client, Bucket: string) => Promise<unknown>]
    > = [
      [
        "PutBucketPolicy",
        (client, Bucket) => client.send(new PutBucketPolicyCommand({ Bucket, Policy: "{}" })),
      ],
      [
        "PutBucketLifecycleConfiguration",
        (client, Bucket) =>
          client.send(
            new PutBucketLifecycleConfigurationCommand({
              Bucket,
              LifecycleConfiguration: { Rules: [] },
            }),
          ),
      ],
      [
        "x-amz-acl",
        (client, Bucket) =>
          client.send(new PutObjectCommand({ Bucket, Key: "k", ACL: "public-read" })),
      ],
      [
        "x-amz-server-side-encryption",
        (client, Bucket) =>
          client.send(new PutObjectCommand({ Bucket, Key: "k", ServerSideEncryption: "aws:kms" })),
      ],
      [
        "x-amz-object-lock-mode",
        (client, Bucket) =>
          client.send(
            new PutObjectCommand({
              Bucket,
              Key: "k",
              ObjectLockMode: "GOVERNANCE",
              ObjectLockRetainUntilDate: new Date(),
            }),
          ),
      ],
      [
        "x-amz-website-redirect-location",
        (client, Bucket) =>
          client.send(new PutObjectCommand({ Bucket, Key: "k", WebsiteRedirectLocation: "/x" })),
      ],
    ];
    for (const [name, send] of rows) {
      it.effect(name, () =>
        Effect.gen(function* () {
          const { client, Bucket } = yield* freshBucket;
          const error = yield* refusal(send(client, Bucket));
          assert.deepStrictEqual([error.code, error.status], ["NotImplemented", 501]);
          assert.include(error.message, name);
        }),
      );
    }

    it.effect("another expected owner is denied", () =>
      Effect.gen(function* () {
        const { client, Bucket } = yield* freshBucket;
        const put = (ExpectedBucketOwner: string) =>
          client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "", ExpectedBucketOwner }));
        yield* call(() => put("000000000000"));
        assert.strictEqual((yield* refusal(put("123456789012"))).code, "AccessDenied");
      }),
    );
  });
});
