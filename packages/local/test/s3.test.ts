/**
 * Goal: S3 as the unmodified SDK client sees it, over a socket. Method: claims about one operation each, and tables of
 * shapes (keys, ranges, conditions) that all go through the same round trip.
 */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
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
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { assert, describe, layer } from "@effect/vitest";
import { Effect } from "effect";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { call, freshBucket, refusal } from "./awsCalls.ts";
import { LocalS3, layerS3, s3ClientFor } from "./localS3.ts";

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
      // An unfinished upload does not keep a bucket, and does not come back with one of the same name.
      yield* call(() => client.send(new CreateMultipartUploadCommand({ Bucket, Key: "m" })));
      yield* call(() => client.send(new DeleteBucketCommand({ Bucket })));
      yield* call(() => client.send(new CreateBucketCommand({ Bucket })));
      const uploads = yield* call(() => client.send(new ListMultipartUploadsCommand({ Bucket })));
      assert.isUndefined(uploads.Uploads);
      yield* call(() => client.send(new DeleteBucketCommand({ Bucket })));
      const gone = yield* refusal(client.send(new HeadBucketCommand({ Bucket })));
      assert.strictEqual(gone.status, 404);
      const again = yield* refusal(client.send(new DeleteBucketCommand({ Bucket })));
      assert.strictEqual(again.code, "NoSuchBucket");
    }),
  );

  it.effect.each([
    ["eu-west-1", "IllegalLocationConstraintException"],
    ["nowhere", "InvalidLocationConstraint"],
    ["us-east-1", "InvalidLocationConstraint"],
  ] as const)("CreateBucket in %s is refused with %s", ([location, code]) =>
    Effect.gen(function* () {
      const { client } = yield* freshBucket;
      const LocationConstraint: string = location;
      const create = new CreateBucketCommand({ Bucket: "elsewhere" });
      Object.assign(create.input, { CreateBucketConfiguration: { LocationConstraint } });
      assert.strictEqual((yield* refusal(client.send(create))).code, code);
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
      for (const Key of ["p\u0000x", "p\u0000y", "pz", "p\u{10FFFF}\u{10FFFF}"]) {
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key, Body: "x" })));
      }
      const counts: Array<number | undefined> = [];
      for (const Prefix of ["p", "p\u0000", "p\u{10FFFF}", "pz/"]) {
        const page = yield* call(() => client.send(new ListObjectsV2Command({ Bucket, Prefix })));
        counts.push(page.KeyCount);
      }
      assert.deepStrictEqual(counts, [4, 2, 1, 0]);
      const wrong = yield* refusal(
        client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: "nonsense" })),
      );
      assert.strictEqual(wrong.code, "InvalidArgument");
    }),
  );
});

const pieces = (body: Buffer): ReadonlyArray<Buffer> => {
  const parts: Array<Buffer> = [];
  for (let at = 0; at < body.byteLength; at += 30_011) parts.push(body.subarray(at, at + 30_011));
  return parts;
};
