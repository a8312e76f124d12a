/**
 * Goal: multipart uploads and additional checksums. Method: claims through the SDK; checksums against known values.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { assert, describe, layer } from "@effect/vitest";
import { Effect } from "effect";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  combineCrc,
  crc32cKind,
  crc64NvmeKind,
  updateCrc32c,
  updateCrc64Nvme,
} from "../src/s3/crc.ts";
import { checksumAlgorithms, startChecksum } from "../src/s3/Checksum.ts";
import { call, freshBucket, refusal } from "./awsCalls.ts";
import { layerS3 } from "./localS3.ts";

const mebibyte = 1024 * 1024;
const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();

layer(layerS3)("s3 multipart uploads and checksums", (it) => {
  it.effect("lib-storage uploads 11 MB from a stream; tag, parts and bytes are right", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const body = randomBytes(11 * mebibyte);
      const done = yield* call(() =>
        new Upload({
          client,
          params: { Bucket, Key: "big", Body: Readable.from(slices(body, 70_001)) },
        }).done(),
      );
      const parts = slices(body, 5 * mebibyte);
      const tag = md5(Buffer.concat(parts.map(md5))).toString("hex");
      assert.strictEqual(done.ETag, `"${tag}-3"`);
      assert.match(done.ChecksumCRC32 ?? "", /-3$/u);
      const got = yield* call(() => client.send(new GetObjectCommand({ Bucket, Key: "big" })));
      const back = yield* call(() => got.Body?.transformToByteArray() ?? Promise.reject());
      assert.isTrue(body.equals(Buffer.from(back)));
      const range = `bytes=${5 * mebibyte - 10}-${5 * mebibyte + 9}`;
      const cut = yield* call(() =>
        client.send(new GetObjectCommand({ Bucket, Key: "big", Range: range })),
      );
      const piece = yield* call(() => cut.Body?.transformToByteArray() ?? Promise.reject());
      assert.isTrue(body.subarray(5 * mebibyte - 10, 5 * mebibyte + 10).equals(Buffer.from(piece)));
      const part = yield* call(() =>
        client.send(new HeadObjectCommand({ Bucket, Key: "big", PartNumber: 3 })),
      );
      assert.deepStrictEqual([part.PartsCount, part.ContentLength], [3, mebibyte]);
    }),
  );

  it.effect("the rules of completion: order, tags, sizes, and the upload's own life", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const Key = "k";
      const { UploadId } = yield* call(() =>
        client.send(new CreateMultipartUploadCommand({ Bucket, Key })),
      );
      const upload = (PartNumber: number, Body: string) =>
        call(() => client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body })));
      const one = yield* upload(1, "one");
      const two = yield* upload(2, "two");
      const complete = (Parts: ReadonlyArray<{ PartNumber: number; ETag: string | undefined }>) =>
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts: [...Parts] },
          }),
        );
      const first = { PartNumber: 1, ETag: one.ETag };
      const second = { PartNumber: 2, ETag: two.ETag };
      const rows: ReadonlyArray<readonly [Promise<unknown>, string]> = [
        [complete([second, first]), "InvalidPartOrder"],
        [complete([first, second]), "EntityTooSmall"],
        [complete([{ PartNumber: 1, ETag: '"no"' }]), "InvalidPart"],
        [complete([{ PartNumber: 7, ETag: one.ETag }]), "InvalidPart"],
        [complete([]), "MalformedXML"],
      ];
      for (const [promise, code] of rows) assert.strictEqual((yield* refusal(promise)).code, code);
      const parts = yield* call(() =>
        client.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 })),
      );
      assert.deepStrictEqual(
        [parts.IsTruncated, parts.NextPartNumberMarker, parts.Parts?.[0]?.Size],
        [true, "1", 3],
      );
      const uploads = yield* call(() => client.send(new ListMultipartUploadsCommand({ Bucket })));
      assert.deepStrictEqual(
        uploads.Uploads?.map((entry) => entry.UploadId),
        [UploadId],
      );
      yield* call(() => complete([second]));
      assert.strictEqual((yield* refusal(complete([second]))).code, "NoSuchUpload");
      const got = yield* call(() => client.send(new GetObjectCommand({ Bucket, Key })));
      assert.strictEqual(
        yield* call(() => got.Body?.transformToString() ?? Promise.reject()),
        "two",
      );
      const abort = yield* refusal(
        client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })),
      );
      assert.strictEqual(abort.code, "NoSuchUpload");
      const outside = yield* refusal(
        client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 10_001, Body: "" })),
      );
      assert.strictEqual(outside.code, "InvalidArgument");
    }),
  );

  it.effect("a part can be copied from a range of another object", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      yield* call(() =>
        client.send(new PutObjectCommand({ Bucket, Key: "source", Body: "0123456789" })),
      );
      const { UploadId } = yield* call(() =>
        client.send(new CreateMultipartUploadCommand({ Bucket, Key: "k" })),
      );
      const copied = yield* call(() =>
        client.send(
          new UploadPartCopyCommand({
            Bucket,
            Key: "k",
            UploadId,
            PartNumber: 1,
            CopySource: `${Bucket}/source`,
            CopySourceRange: "bytes=2-5",
          }),
        ),
      );
      yield* call(() =>
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key: "k",
            UploadId,
            MultipartUpload: {
              Parts: [
                {
                  PartNumber: 1,
                  ETag: copied.CopyPartResult?.ETag,
                  ChecksumCRC32: copied.CopyPartResult?.ChecksumCRC32,
                },
              ],
            },
          }),
        ),
      );
      const got = yield* call(() => client.send(new GetObjectCommand({ Bucket, Key: "k" })));
      assert.strictEqual(
        yield* call(() => got.Body?.transformToString() ?? Promise.reject()),
        "2345",
      );
    }),
  );

  describe("each algorithm is verified, stored and given back", () => {
    for (const algorithm of checksumAlgorithms) {
      for (const streamed of [false, true]) {
        it.effect(`${algorithm} ${streamed ? "in the trailer" : "in the header"}`, () =>
          Effect.gen(function* () {
            const { client, Bucket } = yield* freshBucket;
            const body = randomBytes(100_000);
            const put = yield* call(() =>
              client.send(
                new PutObjectCommand({
                  Bucket,
                  Key: "k",
                  Body: streamed ? Readable.from(slices(body, 9_999)) : body,
                  ContentLength: body.byteLength,
                  ChecksumAlgorithm: algorithm,
                }),
              ),
            );
            const head = yield* call(() =>
              client.send(new HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" })),
            );
            const field = `Checksum${algorithm}` as const;
            const valueOf = (record: object) => new Map(Object.entries(record)).get(field);
            assert.isString(valueOf(head));
            assert.strictEqual(valueOf(head), valueOf(put));
            assert.strictEqual(head.ChecksumType, "FULL_OBJECT");
          }),
        );
      }
      it.effect(`a wrong ${algorithm} is refused and stores nothing`, () =>
        Effect.gen(function* () {
          const { client, Bucket } = yield* freshBucket;
          const ones = startChecksum(algorithm).digest().fill(1).toString("base64");
          const wrong = { [`Checksum${algorithm}`]: ones };
          const error = yield* refusal(
            client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ...wrong })),
          );
          assert.deepStrictEqual([error.code, error.status], ["BadDigest", 400]);
          const gone = yield* refusal(client.send(new HeadObjectCommand({ Bucket, Key: "k" })));
          assert.strictEqual(gone.status, 404);
        }),
      );
    }
  });

  it.effect("a full-object checksum is combined from the parts and checked at completion", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const Key = "k";
      const parts = [randomBytes(5 * mebibyte), randomBytes(1234)];
      const whole = base64(updateCrc64Nvme(Buffer.concat(parts), 0n), 16);
      const begin = yield* call(() =>
        client.send(
          new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC64NVME" }),
        ),
      );
      const { UploadId } = begin;
      const Parts: Array<{ PartNumber: number; ETag: string | undefined }> = [];
      for (const [index, Body] of parts.entries()) {
        const PartNumber = index + 1;
        const { ETag } = yield* call(() =>
          client.send(
            new UploadPartCommand({
              Bucket,
              Key,
              UploadId,
              PartNumber,
              Body,
              ChecksumAlgorithm: "CRC64NVME",
            }),
          ),
        );
        Parts.push({ PartNumber, ETag });
      }
      const complete = (ChecksumCRC64NVME: string) =>
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            ChecksumCRC64NVME,
            MultipartUpload: { Parts },
          }),
        );
      assert.strictEqual((yield* refusal(complete("AAAAAAAAAAA="))).code, "BadDigest");
      const done = yield* call(() => complete(whole));
      assert.deepStrictEqual([done.ChecksumCRC64NVME, done.ChecksumType], [whole, "FULL_OBJECT"]);
    }),
  );

  it.effect("the CRCs have their published check values and combine", () =>
    Effect.sync(() => {
      const digits = Buffer.from("123456789");
      assert.strictEqual(updateCrc32c(digits, 0), 0xe306_9283);
      assert.strictEqual(updateCrc64Nvme(digits, 0n), 0xae8b_1486_0a79_9888n);
      for (const cut of [0, 1, 5, 9]) {
        const [a, b] = [digits.subarray(0, cut), digits.subarray(cut)];
        assert.strictEqual(
          combineCrc(crc32cKind, BigInt(updateCrc32c(a, 0)), BigInt(updateCrc32c(b, 0)), b.length),
          0xe306_9283n,
        );
        assert.strictEqual(
          combineCrc(crc64NvmeKind, updateCrc64Nvme(a, 0n), updateCrc64Nvme(b, 0n), b.length),
          0xae8b_1486_0a79_9888n,
        );
      }
    }),
  );
});

const base64 = (value: bigint, digits: number) =>
  Buffer.from(value.toString(16).padStart(digits, "0"), "hex").toString("base64");

const slices = (body: Buffer, bytes: number): ReadonlyArray<Buffer> => {
  const parts: Array<Buffer> = [];
  for (let at = 0; at < body.byteLength; at += bytes) parts.push(body.subarray(at, at + bytes));
  return parts;
};
