/**
 * Goal: the object store reads exactly the announced version and writes whole objects or none.
 * Method: the store over the embedded S3; what lies in the bucket is read with a client of the test's own.
 */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { NodeServices } from "@effect/platform-node";
import { assert, layer } from "@effect/vitest";
import { type ObjectRef, ObjectStore, type ReadRange } from "@millrace/core";
import { S3ObjectStore } from "@millrace/core/aws";
import { clientConfig, EmbeddedAws, layerLocalMode } from "@millrace/local";
import { Context, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect";
import { createHash } from "node:crypto";
import { createServer } from "node:http";

class Bucket extends Context.Service<
  Bucket,
  { readonly s3: S3Client; readonly keys: Effect.Effect<ReadonlyArray<string>> }
>()("millrace/test/objectStore/Bucket") {}

const plain = "unversioned";
const versioned = "versioned";

const world = Layer.effect(
  Bucket,
  Effect.gen(function* () {
    const s3 = new S3Client({ ...clientConfig(yield* EmbeddedAws), forcePathStyle: true });
    yield* Effect.promise(async () => {
      for (const name of [plain, versioned])
        await s3.send(new CreateBucketCommand({ Bucket: name }));
      await s3.send(
        new PutBucketVersioningCommand({
          Bucket: versioned,
          VersioningConfiguration: { Status: "Enabled" },
        }),
      );
    });
    const keys = Effect.promise(async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: plain }));
      return Contents.map(({ Key = "" }) => Key);
    });
    return Bucket.of({ s3, keys });
  }),
).pipe(
  Layer.merge(
    Layer.unwrap(
      Effect.map(EmbeddedAws, (connection) =>
        S3ObjectStore.layerS3({ ...clientConfig(connection), forcePathStyle: true }),
      ),
    ),
  ),
  Layer.provideMerge(layerLocalMode({ workers: false })),
  Layer.provideMerge(NodeServices.layer),
);

/** Puts an object with the test's own client. */
const put = Effect.fnUntraced(function* (bucket: string, key: string, body: string) {
  const { s3 } = yield* Bucket;
  const { ETag = "", VersionId } = yield* Effect.promise(() =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body) })),
  );
  const ref: ObjectRef = {
    bucket,
    key,
    etag: ETag.replaceAll('"', ""),
    ...(VersionId !== undefined && { versionId: VersionId }),
  };
  return ref;
});

const remove = Effect.fnUntraced(function* (bucket: string, key: string, versionId?: string) {
  const { s3 } = yield* Bucket;
  yield* Effect.promise(() =>
    s3.send(
      new DeleteObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(versionId !== undefined && { VersionId: versionId }),
      }),
    ),
  );
});

const read = (ref: ObjectRef, range?: number | ReadRange) =>
  ObjectStore.use((store) =>
    Stream.runCollect(store.read(ref, typeof range === "number" ? { bytesMax: range } : range)),
  ).pipe(Effect.map((chunks) => Buffer.concat(chunks).toString("utf8")));

const unfinished = Effect.gen(function* () {
  const { s3 } = yield* Bucket;
  const { Uploads = [] } = yield* Effect.promise(() =>
    s3.send(new ListMultipartUploadsCommand({ Bucket: plain })),
  );
  return Uploads.length;
});

const megabyte = 1024 * 1024;
const target = (key: string) => ({
  bucket: plain,
  key,
  contentType: "text/plain",
  metadata: { "millrace-depth": "1" },
});

layer(world, { timeout: "30 seconds", excludeTestServices: true })("the object store", (it) => {
  it.effect("reads an object, or its beginning, or nothing of an empty one", () =>
    Effect.gen(function* () {
      const ref = yield* put(plain, "a/ü +%2B.txt", "0123456789");
      assert.strictEqual(yield* read(ref), "0123456789");
      assert.strictEqual(yield* read(ref, 4), "0123");
      assert.strictEqual(yield* read(ref, 400), "0123456789");
      assert.strictEqual(yield* read(ref, { fromByte: 7 }), "789");
      assert.strictEqual(yield* read(ref, { fromByte: 2, bytesMax: 3 }), "234");
      const empty = yield* put(plain, "empty", "");
      assert.strictEqual(yield* read(empty), "");
      assert.strictEqual(yield* read(empty, 10), "");
    }),
  );

  it.effect(
    "says which version lies under a key now, which is read when there is another one",
    () =>
      Effect.gen(function* () {
        const { newest } = yield* ObjectStore;
        for (const bucket of [plain, versioned]) {
          const at = { bucket, key: "tables/ü +.csv" };
          const gone = yield* Effect.flip(newest(at));
          assert.strictEqual(gone._tag, "ObjectGone");
          const first = yield* put(bucket, at.key, "one");
          const found = yield* newest(at);
          assert.deepStrictEqual(found, first);
          yield* put(bucket, at.key, "another");
          const second = yield* Effect.result(read(found));
          if (bucket === versioned)
            assert.strictEqual(second._tag === "Success" && second.success, "one");
          else
            assert.strictEqual(second._tag === "Failure" && second.failure._tag, "ObjectChanged");
        }
      }),
  );

  it.effect("removes an object, also one that is not there", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const ref = yield* put(plain, "old", "x");
      yield* store.remove(ref);
      assert.strictEqual((yield* Effect.flip(read(ref)))._tag, "ObjectGone");
      yield* store.remove(ref);
    }),
  );

  it.effect("reads exactly the version that is named, whatever came after it", () =>
    Effect.gen(function* () {
      const first = yield* put(versioned, "k", "first");
      const second = yield* put(versioned, "k", "second");
      yield* remove(versioned, "k");
      assert.strictEqual(yield* read(first), "first");
      assert.strictEqual(yield* read(second), "second");
    }),
  );

  it.effect("tells an overwritten object from one that is gone", () =>
    Effect.gen(function* () {
      const ref = yield* put(plain, "changing", "one");
      yield* put(plain, "changing", "two");
      const changed = yield* Effect.flip(read(ref));
      assert.strictEqual(changed._tag, "ObjectChanged");
      assert.deepInclude(changed, { bucket: plain, key: "changing", etag: ref.etag });
      yield* remove(plain, "changing");
      assert.strictEqual((yield* Effect.flip(read(ref)))._tag, "ObjectGone");

      const version = yield* put(versioned, "gone", "x");
      yield* remove(versioned, "gone", version.versionId);
      const gone = yield* Effect.flip(read(version));
      assert.strictEqual(gone._tag, "ObjectGone");
      assert.strictEqual(
        (yield* Effect.flip(read({ ...version, bucket: "nobodys" })))._tag,
        "ObjectGone",
      );
    }),
  );

  it.effect("tells a delete marker, which is no version with bytes, as gone", () =>
    Effect.gen(function* () {
      const { s3 } = yield* Bucket;
      const ref = yield* put(versioned, "marked", "x");
      const { VersionId = "" } = yield* Effect.promise(() =>
        s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: "marked" })),
      );
      const error = yield* Effect.flip(read({ ...ref, versionId: VersionId }));
      assert.strictEqual(error._tag, "ObjectGone");
    }),
  );

  it.effect("copies exactly that version under any key, and refuses a changed one", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const { s3 } = yield* Bucket;
      const key = "in/ü +%2B&?#😀.txt";
      const first = yield* put(versioned, key, "first");
      yield* put(versioned, key, "second");
      yield* store.copy(first, target(`copy/${key}`));
      const copied = yield* Effect.promise(() =>
        s3.send(new GetObjectCommand({ Bucket: plain, Key: `copy/${key}` })),
      );
      assert.strictEqual(
        yield* Effect.promise(async () => copied.Body?.transformToString()),
        "first",
      );
      assert.strictEqual(copied.ContentType, "text/plain");
      assert.deepStrictEqual(copied.Metadata, { "millrace-depth": "1" });

      const ref = yield* put(plain, "source", "one");
      yield* put(plain, "source", "two");
      assert.strictEqual(
        (yield* Effect.flip(store.copy(ref, target("never"))))._tag,
        "ObjectChanged",
      );
      yield* remove(plain, "source");
      assert.strictEqual((yield* Effect.flip(store.copy(ref, target("never"))))._tag, "ObjectGone");
      assert.notInclude(yield* (yield* Bucket).keys, "never");
    }),
  );

  it.effect("puts a small object with its type and metadata", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const { s3 } = yield* Bucket;
      const { etag } = yield* store.put(target("small"), "hello é");
      const head = yield* Effect.promise(() =>
        s3.send(new HeadObjectCommand({ Bucket: plain, Key: "small" })),
      );
      assert.deepInclude(head, { ContentLength: 8, ContentType: "text/plain", ETag: `"${etag}"` });
      assert.deepStrictEqual(head.Metadata, { "millrace-depth": "1" });
    }),
  );

  it.effect("writes 20 MB piece by piece, and shows nothing of it before it is complete", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const { keys, s3 } = yield* Bucket;
      const expected = createHash("sha256");
      yield* Effect.gen(function* () {
        const writer = yield* store.writer(target("large"));
        for (let piece = 0; piece < 40; piece++) {
          const bytes = Buffer.alloc(megabyte / 2, piece);
          expected.update(bytes);
          yield* writer.write(bytes);
          if (piece === 38) assert.notInclude(yield* keys, "large");
        }
        yield* writer.complete;
      }).pipe(Effect.scoped);
      assert.include(yield* keys, "large");
      assert.strictEqual(yield* unfinished, 0);
      const got = yield* Effect.promise(() =>
        s3.send(new GetObjectCommand({ Bucket: plain, Key: "large" })),
      );
      const bytes = yield* Effect.promise(async () => got.Body?.transformToByteArray());
      assert.strictEqual(bytes?.length, 20 * megabyte);
      assert.strictEqual(got.ContentType, "text/plain");
      assert.match(got.ETag ?? "", /-3"$/);
      assert.strictEqual(
        createHash("sha256")
          .update(bytes ?? "")
          .digest("hex"),
        expected.digest("hex"),
      );
    }),
  );

  for (const pieces of [1, 20]) {
    it.effect(`leaves nothing of a writer that is given up after ${pieces} MB`, () =>
      Effect.gen(function* () {
        const store = yield* ObjectStore;
        const { keys } = yield* Bucket;
        const exit = yield* Effect.gen(function* () {
          const writer = yield* store.writer(target("abandoned"));
          for (let piece = 0; piece < pieces; piece++) {
            yield* writer.write(Buffer.alloc(megabyte, piece));
          }
          return yield* Effect.fail("changed my mind");
        }).pipe(Effect.scoped, Effect.exit);
        assert.deepStrictEqual(exit, Exit.fail("changed my mind"));
        assert.notInclude(yield* keys, "abandoned");
        assert.strictEqual(yield* unfinished, 0);
      }),
    );
  }

  it.effect("leaves nothing of a writer whose fiber is interrupted", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const { keys } = yield* Bucket;
      const fiber = yield* Effect.gen(function* () {
        const writer = yield* store.writer(target("interrupted"));
        return yield* Effect.forever(writer.write(Buffer.alloc(megabyte)));
      }).pipe(Effect.scoped, Effect.forkChild);
      yield* Effect.sleep("200 millis");
      yield* Fiber.interrupt(fiber);
      assert.notInclude(yield* keys, "interrupted");
      assert.strictEqual(yield* unfinished, 0);
    }),
  );

  it.effect("writes an object of no bytes", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      yield* Effect.scoped(Effect.flatMap(store.writer(target("nothing")), (one) => one.complete));
      const { s3 } = yield* Bucket;
      const head = yield* Effect.promise(() =>
        s3.send(new HeadObjectCommand({ Bucket: plain, Key: "nothing" })),
      );
      assert.strictEqual(head.ContentLength, 0);
    }),
  );

  it.effect("fails a write to a bucket that is not there, and does not hang", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const error = yield* Effect.gen(function* () {
        const writer = yield* store.writer({ ...target("x"), bucket: "nobodys" });
        for (let piece = 0; piece < 40; piece++) yield* writer.write(Buffer.alloc(megabyte));
        return yield* writer.complete;
      }).pipe(Effect.scoped, Effect.flip);
      assert.strictEqual(error._tag, "ObjectStoreUnavailable");
      assert.deepInclude(error, { bucket: "nobodys", operation: "write" });
    }),
  );

  for (const [status, code, tag] of [
    [403, "AccessDenied", "ObjectDenied"],
    [503, "SlowDown", "ObjectStoreUnavailable"],
    [500, "InternalError", "ObjectStoreUnavailable"],
  ] as const) {
    it.effect(`maps S3's ${code} to ${tag}, in reads and writes`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.Scope;
        const server = createServer((request, response) => {
          request.resume();
          response.writeHead(status, { "content-type": "application/xml" });
          response.end(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
        });
        yield* Effect.promise(
          () => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)),
        );
        yield* Scope.addFinalizer(
          scope,
          Effect.sync(() => void server.close()),
        );
        const address = server.address();
        const port = typeof address === "object" ? (address?.port ?? 0) : 0;
        const connection = yield* EmbeddedAws;
        const store = S3ObjectStore.layerS3({
          ...clientConfig({ ...connection, endpoint: `http://127.0.0.1:${port}` }),
          forcePathStyle: true,
          maxAttempts: 1,
        });
        yield* Effect.gen(function* () {
          const objects = yield* ObjectStore;
          const reading = yield* Effect.flip(read({ bucket: plain, key: "k", etag: "e" }));
          assert.strictEqual(reading._tag, tag);
          const writing = yield* Effect.flip(objects.put(target("k"), "x"));
          assert.strictEqual(writing._tag, tag);
          const streaming = yield* Effect.gen(function* () {
            const writer = yield* objects.writer(target("k"));
            yield* writer.write(Buffer.alloc(10));
            return yield* writer.complete;
          }).pipe(Effect.scoped, Effect.flip);
          assert.strictEqual(streaming._tag, tag);
        }).pipe(Effect.provide(store));
      }),
    );
  }
});
