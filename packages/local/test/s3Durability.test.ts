/**
 * Goal: what is answered is kept. Method: the same directory opened again, with the traces a killed process leaves:
 * a file without a row, an event without publication.
 */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { NodeServices } from "@effect/platform-node";
import { assert, it } from "@effect/vitest";
import { Effect, FileSystem } from "effect";
import { LocalEvents } from "../src/LocalEvents.ts";
import { LocalState } from "../src/LocalState.ts";
import { call, textOfBody } from "./awsCalls.ts";
import { type PublishedEvent, s3ClientFor, startS3 } from "./localS3.ts";

/** Runs a program against S3 on a directory; gives the events that were published meanwhile. */
const session = <A, E>(
  directory: string,
  use: (client: ReturnType<typeof s3ClientFor>) => Effect.Effect<A, E>,
) =>
  Effect.gen(function* () {
    const events: Array<PublishedEvent> = [];
    const bus = LocalEvents.of({ publish: (event) => Effect.sync(() => void events.push(event)) });
    const { endpoint } = yield* Effect.provideService(startS3, LocalEvents, bus);
    const client = s3ClientFor(endpoint);
    const value = yield* use(client);
    client.destroy();
    return { value, events };
  }).pipe(Effect.scoped, Effect.provide(LocalState.layerDirectory(directory)));

const Bucket = "durable";

it.live("objects, versions and unfinished uploads survive a restart", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem;
    const directory = yield* fs.makeTempDirectoryScoped();
    const first = yield* session(directory, (client) =>
      Effect.gen(function* () {
        yield* call(() => client.send(new CreateBucketCommand({ Bucket })));
        yield* call(() =>
          client.send(
            new PutBucketVersioningCommand({
              Bucket,
              VersioningConfiguration: { Status: "Enabled" },
            }),
          ),
        );
        const put = yield* call(() =>
          client.send(
            new PutObjectCommand({ Bucket, Key: "k", Body: "old", Metadata: { a: "1" } }),
          ),
        );
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "new" })));
        const { UploadId } = yield* call(() =>
          client.send(new CreateMultipartUploadCommand({ Bucket, Key: "big" })),
        );
        yield* call(() =>
          client.send(
            new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber: 1, Body: "part" }),
          ),
        );
        return { UploadId, VersionId: put.VersionId ?? "" };
      }),
    );
    const { UploadId, VersionId } = first.value;
    yield* session(directory, (client) =>
      Effect.gen(function* () {
        const old = yield* call(() =>
          client.send(new GetObjectCommand({ Bucket, Key: "k", VersionId })),
        );
        assert.deepStrictEqual([yield* textOfBody(old.Body), old.Metadata], ["old", { a: "1" }]);
        const now = yield* call(() => client.send(new GetObjectCommand({ Bucket, Key: "k" })));
        assert.strictEqual(yield* textOfBody(now.Body), "new");
        const parts = yield* call(() =>
          client.send(new ListPartsCommand({ Bucket, Key: "big", UploadId })),
        );
        assert.strictEqual(parts.Parts?.length, 1);
      }),
    );
  }).pipe(Effect.provide(NodeServices.layer)),
);

it.live("a start removes files without a row and publishes events that were left over", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem;
    const directory = yield* fs.makeTempDirectoryScoped();
    yield* session(directory, (client) =>
      Effect.gen(function* () {
        yield* call(() => client.send(new CreateBucketCommand({ Bucket })));
        yield* call(() => client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "kept" })));
      }),
    );
    const objects = `${directory}/objects`;
    const kept = yield* fs.readDirectory(objects);
    yield* fs.writeFileString(`${objects}/orphan`, "x");
    yield* fs.writeFileString(`${objects}/unfinished.part`, "x");
    const event: PublishedEvent = {
      source: "aws.s3",
      "detail-type": "Object Created",
      resources: [],
      detail: { reason: "PutObject" },
    };
    yield* Effect.gen(function* () {
      const { database } = yield* LocalState;
      database.prepare("INSERT INTO s3_outbox (event) VALUES (?)").run(JSON.stringify(event));
    }).pipe(Effect.provide(LocalState.layerDirectory(directory)));
    const second = yield* session(directory, (client) =>
      Effect.gen(function* () {
        const got = yield* call(() => client.send(new GetObjectCommand({ Bucket, Key: "k" })));
        assert.strictEqual(yield* textOfBody(got.Body), "kept");
      }),
    );
    assert.deepStrictEqual(second.events, [event]);
    assert.deepStrictEqual(yield* fs.readDirectory(objects), kept);
    const third = yield* session(directory, () => Effect.void);
    assert.deepStrictEqual(third.events, []);
  }).pipe(Effect.provide(NodeServices.layer)),
);
