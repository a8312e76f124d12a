/**
 * Goal: every text that may lie in a queue is read as what it is, and a key is decoded exactly as often as it was
 * encoded.
 * Method: the forms that AWS documents, by hand; keys by property.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import * as fc from "fast-check";
import { type Intake, readMessage } from "../src/Intake.ts";
import { objectIdentity, objectName, toEventText } from "../src/ObjectEvent.ts";
import { encodeWorkerMessage } from "../src/WorkerMessage.ts";

/** S3's event as EventBridge delivers it; the example of AWS's user guide, with a key of choice. */
const envelope = (key: string, changes: object = {}) =>
  JSON.stringify({
    version: "0",
    id: "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    source: "aws.s3",
    account: "111122223333",
    time: "2021-11-12T00:00:00Z",
    region: "ca-central-1",
    resources: ["arn:aws:s3:::amzn-s3-demo-bucket1"],
    detail: {
      version: "0",
      bucket: { name: "amzn-s3-demo-bucket1" },
      object: {
        key,
        size: 5,
        etag: "b1946ac92492d2347c6235b4d2611184",
        "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        sequencer: "617f08299329d189",
      },
      "request-id": "N4N7GDK58NMKJ12R",
      requester: "123456789012",
      "source-ip-address": "1.2.3.4",
      reason: "PutObject",
    },
    ...changes,
  });

/** S3's key in a notification: form-encoded, as Java's URLEncoder does it. */
const formEncode = (key: string) => encodeURIComponent(key).replaceAll("%20", "+");

const record = (key: string, eventName = "ObjectCreated:Put") => ({
  eventVersion: "2.1",
  eventSource: "aws:s3",
  awsRegion: "us-west-2",
  eventTime: "1970-01-01T00:00:01.500Z",
  eventName,
  userIdentity: { principalId: "A" },
  s3: {
    s3SchemaVersion: "1.0",
    configurationId: "test",
    bucket: { name: "bucket", ownerIdentity: { principalId: "A" }, arn: "arn:aws:s3:::bucket" },
    object: { key, size: 7, eTag: "d41d8cd98f00b204e9800998ecf8427e", sequencer: "0055" },
  },
});

const notification = (...records: ReadonlyArray<ReturnType<typeof record>>) =>
  JSON.stringify({ Records: records });

const objectsOf = (intake: Intake) =>
  intake._tag === "Objects" ? intake.announcements.map(({ object }) => object) : [];

const replayNamesOf = (intake: Intake) =>
  intake._tag === "Objects" ? intake.announcements.map(({ replayName }) => replayName) : [];

describe("the intake", () => {
  it.effect("reads an EventBridge event, its key untouched", () =>
    Effect.gen(function* () {
      const intake = yield* readMessage(envelope("incoming/a+b%2Bc d.csv"));
      assert.deepStrictEqual(objectsOf(intake), [
        {
          bucket: "amzn-s3-demo-bucket1",
          key: "incoming/a+b%2Bc d.csv",
          versionId: "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
          etag: "b1946ac92492d2347c6235b4d2611184",
          sizeBytes: 5,
          sequencer: "617f08299329d189",
          eventEpochMs: Date.UTC(2021, 10, 12),
        },
      ]);
    }),
  );

  it.effect("tells a replayed event from a first one", () =>
    Effect.gen(function* () {
      const first = yield* readMessage(envelope("a"));
      const again = yield* readMessage(envelope("a", { "replay-name": "monday" }));
      assert.deepStrictEqual(replayNamesOf(first), [undefined]);
      assert.deepStrictEqual(replayNamesOf(again), ["monday"]);
      assert.deepStrictEqual(objectsOf(first), objectsOf(again));
    }),
  );

  it.effect("reads S3's own notification, each key decoded once", () =>
    Effect.gen(function* () {
      const intake = yield* readMessage(
        notification(record("incoming/a+b%2Bc%252B%C3%A9.csv"), record("x", "ObjectCreated:Copy")),
      );
      const objects = objectsOf(intake);
      assert.deepStrictEqual(
        objects.map(({ key }) => key),
        ["incoming/a b+c%2Bé.csv", "x"],
      );
      assert.deepInclude(objects[0], { bucket: "bucket", sizeBytes: 7, eventEpochMs: 1_500 });
      assert.notProperty(objects[0], "versionId");
    }),
  );

  it.effect("keeps any key, both ways", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.string({ unit: "binary", minLength: 1 }), async (key) => {
          const [plain, encoded] = await Effect.runPromise(
            Effect.all([
              readMessage(envelope(key)),
              readMessage(notification(record(formEncode(key)))),
            ]),
          );
          assert.deepStrictEqual(
            [...objectsOf(plain), ...objectsOf(encoded)].map((object) => object.key),
            [key, key],
          );
        }),
      ),
    ),
  );

  it.effect("reads the text that announces an object again as the same object", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.string({ unit: "binary" }),
          fc.option(fc.string(), { nil: undefined }),
          fc.nat(),
          fc.integer({ min: 0, max: 4e12 }),
          async (key, versionId, sizeBytes, eventEpochMs) => {
            const object = {
              bucket: "raw",
              key,
              ...(versionId !== undefined && { versionId }),
              etag: "e",
              sizeBytes,
              sequencer: "01",
              eventEpochMs,
            };
            const intake = await Effect.runPromise(readMessage(toEventText(object)));
            assert.deepStrictEqual(objectsOf(intake), [object]);
          },
        ),
      ),
    ),
  );

  it.effect("ignores removals, the test event and other events, and says why", () =>
    Effect.gen(function* () {
      const ignored: ReadonlyArray<readonly [string, string]> = [
        [notification(record("a", "ObjectRemoved:Delete")), "no object was created"],
        [notification(), "no object was created"],
        [
          '{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b","RequestId":"r","HostId":"h"}',
          "S3's test event",
        ],
        [
          envelope("a", { "detail-type": "Object Deleted" }),
          "an event of another kind: Object Deleted",
        ],
        [envelope("a", { source: "aws.ec2" }), "an event of another kind: Object Created"],
      ];
      for (const [body, reason] of ignored) {
        assert.deepStrictEqual(yield* readMessage(body), { _tag: "Ignored", reason });
      }
    }),
  );

  it.effect("keeps the created objects of a notification that also tells of removals", () =>
    Effect.gen(function* () {
      const intake = yield* readMessage(
        notification(record("gone", "ObjectRemoved:Delete"), record("new")),
      );
      assert.deepStrictEqual(
        objectsOf(intake).map(({ key }) => key),
        ["new"],
      );
    }),
  );

  it.effect("reads the engine's own messages", () =>
    Effect.gen(function* () {
      const wake = {
        _tag: "Wake",
        millrace: 1,
        workflow: "W",
        executionId: "e",
        mode: "explicit",
      } as const;
      const timer = {
        _tag: "TimerDue",
        millrace: 1,
        workflow: "W",
        executionId: "e",
        clock: "c",
        wakeAtEpochMs: 12.5,
      } as const;
      for (const message of [wake, timer]) {
        assert.deepStrictEqual(yield* readMessage(encodeWorkerMessage(message)), {
          _tag: "Message",
          message,
        });
      }
    }),
  );

  const unreadable: ReadonlyArray<readonly [string, string]> = [
    ["no JSON", "hello"],
    ["an empty text", ""],
    ["a list", "[]"],
    ["null", "null"],
    ["an object of nothing known", '{"a":1}'],
    [
      "an object event without a key",
      envelope("a", { detail: { bucket: { name: "b" }, object: {} } }),
    ],
    ["an object event whose time is none", envelope("a", { time: "yesterday" })],
    ["a notification whose key is badly encoded", notification(record("%E0%A4%A"))],
    [
      "a message of a later version of ours",
      '{"_tag":"Wake","millrace":2,"workflow":"W","executionId":"e","mode":"explicit"}',
    ],
  ];
  for (const [what, body] of unreadable) {
    it.effect(`refuses ${what}, and does not quote it`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(readMessage(body));
        assert.strictEqual(error._tag, "MessageUnreadable");
        assert.strictEqual(error.failureClass, "permanent");
        assert.strictEqual(error.characters, body.length);
        if (body !== "") assert.notInclude(error.message, body);
        assert.include(error.message, error.reason);
      }),
    );
  }
});

describe("an object's identity", () => {
  const object = {
    bucket: "b",
    key: "k",
    etag: "e",
    sizeBytes: 1,
    sequencer: "s",
    eventEpochMs: 0,
  };

  it("is its version where there is one", () => {
    const versioned = { ...object, versionId: "v" };
    assert.strictEqual(objectName(versioned), "b/k@v");
    assert.strictEqual(objectIdentity(versioned), "b/k@v");
    assert.strictEqual(objectIdentity({ ...versioned, sequencer: "t" }), "b/k@v");
  });

  it("is its ETag and its place in the order of uploads where there is none", () => {
    assert.strictEqual(objectName(object), "b/k@e");
    assert.notStrictEqual(objectIdentity(object), objectIdentity({ ...object, sequencer: "t" }));
  });
});
