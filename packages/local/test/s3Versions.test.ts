/**
 * Goal: versioning and the events that S3 publishes. Method: claims through the SDK, against the record of a bus.
 */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { assert, layer } from "@effect/vitest";
import { Effect, FileSystem } from "effect";
import { NodeServices } from "@effect/platform-node";
import { call, freshBucket, refusal, textOfBody } from "./awsCalls.ts";
import { LocalS3, layerS3 } from "./localS3.ts";

const setVersioning = (client: S3Client, Bucket: string, Status: "Enabled" | "Suspended") =>
  call(() =>
    client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })),
  );

const switchOnEvents = (client: S3Client, Bucket: string) =>
  call(() =>
    client.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: { EventBridgeConfiguration: {} },
      }),
    ),
  );

layer(layerS3)("s3 versions and events", (it) => {
  it.effect("a bucket keeps all versions of a key, and a delete marker hides them", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const put = (Body: string) =>
        call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body })));
      assert.isUndefined((yield* put("before")).VersionId);
      const status = yield* call(() => client.send(new GetBucketVersioningCommand({ Bucket })));
      assert.isUndefined(status.Status);
      yield* setVersioning(client, Bucket, "Enabled");
      const one = yield* put("one");
      const two = yield* put("two");
      const get = (VersionId?: string) =>
        client.send(
          new GetObjectCommand({
            Bucket,
            Key: "k",
            ...(VersionId === undefined ? {} : { VersionId }),
          }),
        );
      assert.strictEqual(yield* textOfBody((yield* call(() => get())).Body), "two");
      assert.strictEqual(yield* textOfBody((yield* call(() => get(one.VersionId))).Body), "one");
      assert.strictEqual(yield* textOfBody((yield* call(() => get("null"))).Body), "before");

      const deleted = yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key: "k" })));
      assert.isTrue(deleted.DeleteMarker);
      assert.strictEqual((yield* refusal(get())).code, "NoSuchKey");
      assert.strictEqual((yield* refusal(get(deleted.VersionId))).status, 405);
      const listing = yield* call(() => client.send(new ListObjectsV2Command({ Bucket })));
      assert.strictEqual(listing.KeyCount, 0);
      const versions = yield* call(() => client.send(new ListObjectVersionsCommand({ Bucket })));
      assert.deepStrictEqual(
        versions.Versions?.map(({ IsLatest, VersionId }) => [VersionId, IsLatest]),
        [
          [two.VersionId, false],
          [one.VersionId, false],
          ["null", false],
        ],
      );
      assert.deepStrictEqual(
        versions.DeleteMarkers?.map(({ IsLatest, VersionId }) => [VersionId, IsLatest]),
        [[deleted.VersionId, true]],
      );
      yield* call(() =>
        client.send(new DeleteObjectCommand({ Bucket, Key: "k", ...required(deleted.VersionId) })),
      );
      assert.strictEqual(yield* textOfBody((yield* call(() => get())).Body), "two");
      yield* call(() =>
        client.send(new DeleteObjectCommand({ Bucket, Key: "k", ...required(two.VersionId) })),
      );
      assert.strictEqual(yield* textOfBody((yield* call(() => get())).Body), "one");
      const unknown = yield* refusal(get(two.VersionId));
      assert.strictEqual(unknown.code, "NoSuchVersion");
      assert.strictEqual((yield* refusal(get("nonsense"))).code, "InvalidArgument");
    }),
  );

  it.effect("a suspended bucket overwrites its null version and keeps the others", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const put = (Body: string) =>
        call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body })));
      yield* setVersioning(client, Bucket, "Enabled");
      const kept = yield* put("kept");
      yield* setVersioning(client, Bucket, "Suspended");
      yield* put("first null");
      yield* put("second null");
      const deleted = yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key: "k" })));
      assert.strictEqual(deleted.VersionId, "null");
      const versions = yield* call(() => client.send(new ListObjectVersionsCommand({ Bucket })));
      assert.deepStrictEqual(
        [versions.Versions?.map(({ VersionId }) => VersionId), versions.DeleteMarkers?.length],
        [[kept.VersionId], 1],
      );
    }),
  );

  it.effect("versions page without loss or repetition", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      yield* setVersioning(client, Bucket, "Enabled");
      for (const Key of ["a", "b", "a", "c/1", "c/2", "b", "a"]) {
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key, Body: "x" })));
      }
      for (const MaxKeys of [1, 2, 3]) {
        const seen: Array<string> = [];
        let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
        for (;;) {
          const page = yield* call(() =>
            client.send(
              new ListObjectVersionsCommand({ Bucket, MaxKeys, Delimiter: "/", ...markers }),
            ),
          );
          seen.push(...(page.Versions ?? []).map(({ Key }) => Key ?? ""));
          seen.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ""));
          if (page.IsTruncated !== true) break;
          markers = {
            ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
            ...(page.NextVersionIdMarker === undefined
              ? {}
              : { VersionIdMarker: page.NextVersionIdMarker }),
          };
        }
        assert.deepStrictEqual(seen, ["a", "a", "a", "b", "b", "c/"]);
      }
    }),
  );

  it.effect("events tell of creation, copy, multipart, tags and deletion, when they are on", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const { events } = yield* LocalS3;
      const of = () => events.filter(({ detail }) => JSON.stringify(detail).includes(Bucket));
      const Key = "a b+ü.csv";
      const put = () => call(() => client.send(new PutObjectCommand({ Bucket, Key, Body: "xyz" })));
      yield* put();
      assert.lengthOf(of(), 0);
      yield* switchOnEvents(client, Bucket);
      const on = yield* call(() =>
        client.send(new GetBucketNotificationConfigurationCommand({ Bucket })),
      );
      assert.isDefined(on.EventBridgeConfiguration);
      const answer = yield* put();
      yield* call(() =>
        client.send(
          new CopyObjectCommand({
            Bucket,
            Key: "copy",
            CopySource: `${Bucket}/${encodeURIComponent(Key)}`,
          }),
        ),
      );
      yield* uploadInParts(client, Bucket, "parts");
      yield* call(() =>
        client.send(
          new PutObjectTaggingCommand({
            Bucket,
            Key,
            Tagging: { TagSet: [{ Key: "t", Value: "1" }] },
          }),
        ),
      );
      yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key })));
      yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key: "never there" })));
      assert.deepStrictEqual(
        of().map((event) => [event["detail-type"], event.detail["reason"]]),
        [
          ["Object Created", "PutObject"],
          ["Object Created", "CopyObject"],
          ["Object Created", "CompleteMultipartUpload"],
          ["Object Tags Added", undefined],
          ["Object Deleted", "DeleteObject"],
        ],
      );
      const [created, , , , removed] = of();
      assert.deepStrictEqual(created?.resources, [`arn:aws:s3:::${Bucket}`]);
      const { object, ...rest } = created?.detail ?? {};
      assert.deepStrictEqual(rest, {
        version: "0",
        bucket: { name: Bucket },
        "request-id": answer.$metadata.requestId,
        requester: "000000000000",
        "source-ip-address": "127.0.0.1",
        reason: "PutObject",
      });
      assert.deepInclude(object, {
        key: Key,
        size: 3,
        etag: answer.ETag?.replaceAll('"', ""),
      });
      assert.match(JSON.stringify(object), /"sequencer":"[0-9A-F]+"/u);
      assert.notInclude(JSON.stringify(object), "version-id");
      assert.strictEqual(removed?.detail["deletion-type"], "Permanently Deleted");
    }),
  );

  it.effect("with versioning an event names the version and a delete marker", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const { events } = yield* LocalS3;
      yield* setVersioning(client, Bucket, "Enabled");
      yield* switchOnEvents(client, Bucket);
      const from = events.length;
      const put = yield* call(() =>
        client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })),
      );
      const deleted = yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key: "k" })));
      const [created, marker] = events.slice(from);
      assert.deepInclude(created?.detail["object"], { "version-id": put.VersionId });
      assert.deepInclude(marker?.detail["object"], { "version-id": deleted.VersionId });
      assert.strictEqual(marker?.detail["deletion-type"], "Delete Marker Created");
    }),
  );

  it.effect("queues, topics and functions as destinations are refused by name", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const error = yield* refusal(
        client.send(
          new PutBucketNotificationConfigurationCommand({
            Bucket,
            NotificationConfiguration: {
              QueueConfigurations: [
                {
                  QueueArn: "arn:aws:sqs:us-east-1:000000000000:q",
                  Events: ["s3:ObjectCreated:*"],
                },
              ],
            },
          }),
        ),
      );
      assert.strictEqual(error.status, 501);
      assert.include(error.message, "QueueConfigurations");
    }),
  );

  it.effect("a deleted or overwritten object leaves no file behind", () =>
    Effect.gen(function* () {
      const { client, Bucket } = yield* freshBucket;
      const { directory } = yield* LocalS3;
      const fs = yield* FileSystem.FileSystem;
      const count = Effect.map(fs.readDirectory(`${directory}/objects`), (names) => names.length);
      const before = yield* count;
      for (const Body of ["one", "two"]) {
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body })));
      }
      assert.strictEqual(yield* count, before + 1);
      yield* refusal(
        client.send(
          new PutObjectCommand({
            Bucket,
            Key: "k",
            Body: "x",
            ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==",
          }),
        ),
      );
      assert.strictEqual(yield* count, before + 1);
      yield* call(() => client.send(new HeadObjectCommand({ Bucket, Key: "k" })));
      yield* call(() => client.send(new DeleteObjectCommand({ Bucket, Key: "k" })));
      assert.strictEqual(yield* count, before);
    }).pipe(Effect.provide(NodeServices.layer)),
  );
});

const required = (VersionId: string | undefined) => (VersionId === undefined ? {} : { VersionId });

const uploadInParts = Effect.fnUntraced(function* (client: S3Client, Bucket: string, Key: string) {
  const { UploadId } = yield* call(() =>
    client.send(new CreateMultipartUploadCommand({ Bucket, Key })),
  );
  const part = yield* call(() =>
    client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: "part" })),
  );
  yield* call(() =>
    client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
      }),
    ),
  );
});
