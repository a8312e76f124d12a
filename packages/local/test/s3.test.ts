/**
 * Goal: S3 as the unmodified SDK client sees it, over a socket. Method: claims about one operation each, and tables of
 * shapes (keys, ranges, conditions) that all go through the same round trip.
 */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
} from "@aws-sdk/client-s3";
import { assert, describe, layer } from "@effect/vitest";
import { Effect } from "effect";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { LocalS3, layerS3, s3ClientFor } from "./localS3.ts";

/** The error that a command ends with; success is a failure of the test. */
export const refusal = (promise: Promise<unknown>) =>
  Effect.promise(() =>
    promise.then(
      () => assert.fail("the command succeeded"),
      (error: S3ServiceException) => ({
        code: error.name,
        status: error.$metadata.httpStatusCode,
        message: error.message,
      }),
    ),
  );

const call = <A>(run: () => Promise<A>) => Effect.promise(run);

const freshBucket = Effect.gen(function* () {
  const { client } = yield* LocalS3;
  const Bucket = `bucket-${randomBytes(6).toString("hex")}`;
  yield* call(() => client.send(new CreateBucketCommand({ Bucket })));
  return { client, Bucket };
});

layer(layerS3)("s3", (it) => {
  it.effect("a bucket is created, found, listed and deleted", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      yield* call(() => client.send(new CreateBucketCommand({ Bucket })));
      const head = yield* call(() => client.send(new HeadBucketCommand({ Bucket })));
      assert.strictEqual(head.BucketRegion, "us-east-1");
      const listed = yield* call(() => client.send(new ListBucketsCommand({ Prefix: Bucket })));
      assert.deepStrictEqual(
        listed.Buckets?.map((bucket) => bucket.Name),
        [Bucket],
      );
      const place = yield* call(() => client.send(new GetBucketLocationCommand({ Bucket })));
      assert.isUndefined(place.LocationConstraint);
      yield* call(() => client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "x" })));
      const full = yield* refusal(client.send(new DeleteBucketCommand({ Bucket })));
      assert.deepStrictEqual([full.code, full.status], ["BucketNotEmpty", 409]);
      yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key: "a" })));
      yield* call(() => client.send(new DeleteBucketCommand({ Bucket })));
      const gone = yield* refusal(client.send(new HeadBucketCommand({ Bucket })));
      assert.strictEqual(gone.status, 404);
      const again = yield* refusal(client.send(new DeleteBucketCommand({ Bucket })));
      assert.strictEqual(again.code, "NoSuchBucket");
    }),
  );

  describe("bodies come back byte for byte", () => {
    const bytes = randomBytes(200_000);
    // Text that looks like the framing and the trailer must not end the body.
    const framing = Buffer.from(
      "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n".repeat(50),
    );
    const bodies: ReadonlyArray<readonly [string, Buffer]> = [
      ["200,000 random bytes", bytes],
      ["text that looks like aws-chunked framing", framing],
      ["nothing", Buffer.alloc(0)],
      ["one byte", Buffer.from([0])],
    ];
    for (const [name, body] of bodies) {
      for (const form of ["buffer", "stream with a trailing checksum", "stream without framing"]) {
        it.effect(`${name} as a ${form}`, () =>
          Effect.gen(function* () {
            const { Bucket } = yield* freshBucket;
            const { endpoint } = yield* LocalS3;
            const client = s3ClientFor(
              endpoint,
              form === "stream without framing"
                ? { requestChecksumCalculation: "WHEN_REQUIRED" }
                : {},
            );
            yield* call(() =>
              client.send(
                new PutObjectCommand({
                  Bucket,
                  Key: "body",
                  Body: form === "buffer" ? body : Readable.from(pieces(body)),
                  ContentLength: body.byteLength,
                }),
              ),
            );
            const got = yield* call(() =>
              client.send(new GetObjectCommand({ Bucket, Key: "body" })),
            );
            const back = yield* call(() => got.Body?.transformToByteArray() ?? Promise.reject());
            assert.isTrue(body.equals(Buffer.from(back)));
            assert.strictEqual(got.ContentLength, body.byteLength);
            assert.isUndefined(got.ContentEncoding);
            assert.strictEqual(got.ETag, `"${createHash("md5").update(body).digest("hex")}"`);
            client.destroy();
          }),
        );
      }
    }
  });

  describe("a key is opaque", () => {
    const keys = [
      "plain",
      "with space",
      "a+b",
      "a%2Bb",
      "a%20b",
      "a/../b",
      "./a",
      "../../etc/passwd",
      "a//b",
      "/leading",
      "trailing/",
      "ünïcode/日本語/😀.csv",
      "quote'\"<>&amp;",
      "semi;colon,comma=eq",
      "question?mark#hash",
      "tilde~!*()@:$",
      "tab\tand\nnewline\rreturn",
      "back\\slash",
      "é", // decomposed: differs from the composed form
      "x".repeat(1024),
    ];
    it.effect(
      "each shape is stored, listed in byte order, copied and deleted by its own name",
      () =>
        Effect.gen(function* () {
          const { client, Bucket } = yield* freshBucket;
          for (const Key of keys) {
            yield* call(() => client.send(new PutObjectCommand({ Bucket, Key, Body: Key })));
          }
          for (const Key of keys) {
            const got = yield* call(() => client.send(new GetObjectCommand({ Bucket, Key })));
            assert.strictEqual(
              yield* call(() => got.Body?.transformToString() ?? Promise.reject()),
              Key,
            );
            if (Key.length < 1000) {
              yield* call(() =>
                client.send(
                  new CopyObjectCommand({
                    Bucket,
                    Key: `copy/${Key}`,
                    CopySource: `${Bucket}/${encodeURIComponent(Key)}`,
                  }),
                ),
              );
            }
          }
          const listed = yield* call(() =>
            client.send(new ListObjectsV2Command({ Bucket, EncodingType: "url" })),
          );
          const expected = [
            ...keys,
            ...keys.filter((key) => key.length < 1000).map((key) => `copy/${key}`),
          ];
          assert.deepStrictEqual(
            listed.Contents?.map(({ Key }) => decodeURIComponent(Key ?? "")),
            expected.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
          );
          for (const Key of expected) {
            yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key })));
          }
          yield* call(() => client.send(new DeleteBucketCommand({ Bucket })));
        }),
    );

    it.effect("a key of 1,025 bytes is refused", () =>
      Effect.gen(function* () {
        const { client, Bucket } = yield* freshBucket;
        const error = yield* refusal(
          client.send(new PutObjectCommand({ Bucket, Key: "x".repeat(1025), Body: "" })),
        );
        assert.deepStrictEqual([error.code, error.status], ["KeyTooLongError", 400]);
      }),
    );
  });

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

  it.effect("metadata, content headers, class and tags come back as they were given", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      yield* call(() =>
        client.send(
          new PutObjectCommand({
            Bucket,
            Key: "k",
            Body: "x",
            Metadata: { colour: "blue", "Upper-Case": "V a l u e" },
            ContentType: "text/csv",
            CacheControl: "no-store",
            ContentDisposition: 'attachment; filename="a.csv"',
            ContentEncoding: "identity",
            ContentLanguage: "de",
            StorageClass: "STANDARD_IA",
            Tagging: "a=1&b=two%20words",
          }),
        ),
      );
      const head = yield* call(() => client.send(new HeadObjectCommand({ Bucket, Key: "k" })));
      assert.deepStrictEqual(head.Metadata, { colour: "blue", "upper-case": "V a l u e" });
      assert.strictEqual(head.ContentType, "text/csv");
      assert.strictEqual(head.CacheControl, "no-store");
      assert.strictEqual(head.ContentDisposition, 'attachment; filename="a.csv"');
      assert.strictEqual(head.ContentEncoding, "identity");
      assert.strictEqual(head.StorageClass, "STANDARD_IA");
      assert.strictEqual(head.ContentLength, 1);
      const tags = yield* call(() =>
        client.send(new GetObjectTaggingCommand({ Bucket, Key: "k" })),
      );
      assert.deepStrictEqual(tags.TagSet, [
        { Key: "a", Value: "1" },
        { Key: "b", Value: "two words" },
      ]);
      const got = yield* call(() =>
        client.send(
          new GetObjectCommand({
            Bucket,
            Key: "k",
            ResponseContentType: "text/plain",
            ResponseContentDisposition: "inline",
          }),
        ),
      );
      assert.strictEqual(got.TagCount, 2);
      assert.strictEqual(got.ContentType, "text/plain");
      assert.strictEqual(got.ContentDisposition, "inline");
      const attributes = yield* call(() =>
        client.send(
          new GetObjectAttributesCommand({
            Bucket,
            Key: "k",
            ObjectAttributes: ["ETag", "ObjectSize", "Checksum", "StorageClass"],
          }),
        ),
      );
      assert.strictEqual(attributes.ObjectSize, 1);
      assert.isString(attributes.Checksum?.ChecksumCRC32);
    }),
  );

  it.effect("a copy takes metadata over, or replaces it", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      yield* call(() =>
        client.send(
          new PutObjectCommand({
            Bucket,
            Key: "k",
            Body: "x",
            Metadata: { a: "1" },
            Tagging: "t=1",
          }),
        ),
      );
      const copy = (Key: string, more: object) =>
        client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/k`, ...more }));
      const copied = yield* call(() => copy("same", {}));
      assert.strictEqual(
        copied.CopyObjectResult?.ETag,
        `"${createHash("md5").update("x").digest("hex")}"`,
      );
      yield* call(() => copy("new", { MetadataDirective: "REPLACE", Metadata: { b: "2" } }));
      const same = yield* call(() => client.send(new HeadObjectCommand({ Bucket, Key: "same" })));
      const fresh = yield* call(() => client.send(new HeadObjectCommand({ Bucket, Key: "new" })));
      assert.deepStrictEqual([same.Metadata, fresh.Metadata], [{ a: "1" }, { b: "2" }]);
      assert.strictEqual(same.TagCount, 1);
      const self = yield* refusal(copy("k", {}));
      assert.strictEqual(self.code, "InvalidRequest");
      yield* call(() => copy("k", { MetadataDirective: "REPLACE", Metadata: { c: "3" } }));
      const missing = yield* refusal(
        client.send(new CopyObjectCommand({ Bucket, Key: "z", CopySource: `${Bucket}/nothing` })),
      );
      assert.deepStrictEqual([missing.code, missing.status], ["NoSuchKey", 404]);
      const unmet = yield* refusal(copy("z", { CopySourceIfMatch: '"no"' }));
      assert.strictEqual(unmet.status, 412);
    }),
  );

  it.effect("DeleteObjects reports each key, and nothing but errors when quiet", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      for (const Key of ["a", "b & <c>", "d"]) {
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key, Body: "x" })));
      }
      const loud = yield* call(() =>
        client.send(
          new DeleteObjectsCommand({
            Bucket,
            Delete: { Objects: [{ Key: "a" }, { Key: "b & <c>" }, { Key: "never there" }] },
          }),
        ),
      );
      assert.deepStrictEqual(
        loud.Deleted?.map(({ Key }) => Key),
        ["a", "b & <c>", "never there"],
      );
      const quiet = yield* call(() =>
        client.send(
          new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "d" }], Quiet: true } }),
        ),
      );
      assert.isUndefined(quiet.Deleted);
      const left = yield* call(() => client.send(new ListObjectsV2Command({ Bucket })));
      assert.strictEqual(left.KeyCount, 0);
    }),
  );

  it.effect("listings page by keys and by common prefixes without loss or repetition", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const keys = ["a", "b/1", "b/2", "b/3", "c", "d/x/1", "d/y/1", "e"];
      for (const Key of keys) {
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key, Body: "x" })));
      }
      for (const MaxKeys of [1, 2, 3, 1000]) {
        const seen: Array<string> = [];
        let token: string | undefined;
        do {
          const page = yield* call(() =>
            client.send(
              new ListObjectsV2Command({
                Bucket,
                MaxKeys,
                Delimiter: "/",
                ...(token === undefined ? {} : { ContinuationToken: token }),
              }),
            ),
          );
          const entries = [
            ...(page.Contents ?? []).map(({ Key }) => Key ?? ""),
            ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ""),
          ];
          assert.strictEqual(page.KeyCount, entries.length);
          assert.isAtMost(entries.length, MaxKeys);
          seen.push(...entries);
          token = page.NextContinuationToken;
          assert.strictEqual(page.IsTruncated, token !== undefined);
        } while (token !== undefined);
        assert.deepStrictEqual(seen.toSorted(), ["a", "b/", "c", "d/", "e"]);
      }
      const first = yield* call(() =>
        client.send(new ListObjectsCommand({ Bucket, Delimiter: "/", MaxKeys: 2 })),
      );
      assert.strictEqual(first.NextMarker, "b/");
      const second = yield* call(() =>
        client.send(new ListObjectsCommand({ Bucket, Delimiter: "/", Marker: "b/" })),
      );
      assert.deepStrictEqual(
        [
          second.Contents?.map(({ Key }) => Key),
          second.CommonPrefixes?.map(({ Prefix }) => Prefix),
        ],
        [["c", "e"], ["d/"]],
      );
      const after = yield* call(() =>
        client.send(
          new ListObjectsV2Command({ Bucket, StartAfter: "b/2", Prefix: "b/", FetchOwner: true }),
        ),
      );
      assert.deepStrictEqual(
        after.Contents?.map(({ Key }) => Key),
        ["b/3"],
      );
      assert.isString(after.Contents?.[0]?.Owner?.ID);
      const wrong = yield* refusal(
        client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: "nonsense" })),
      );
      assert.strictEqual(wrong.code, "InvalidArgument");
    }),
  );

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

const pieces = (body: Buffer): ReadonlyArray<Buffer> => {
  const parts: Array<Buffer> = [];
  for (let at = 0; at < body.byteLength; at += 30_011) parts.push(body.subarray(at, at + 30_011));
  return parts;
};
