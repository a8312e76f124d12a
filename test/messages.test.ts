/**
 * Goal: messages that are no work, cannot be read, or are about an object that has changed since are handled as what
 * they are, and none is lost.
 * Method: put into the queues of a whole local mode, over the real clients.
 */
import { DisableRuleCommand, EnableRuleCommand } from "@aws-sdk/client-eventbridge";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { assert, layer } from "@effect/vitest";
import { localBuckets, localQueues, localRule, queueUrl } from "@millrace/local";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Effect, Schema } from "effect";
import { eventOf } from "./events.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { queryDuckDb } from "./parquetReaders.ts";

const Failed = Schema.Array(Schema.Struct({ error: Schema.Struct({ _tag: Schema.String }) }));
const decodeFailed = Schema.decodeUnknownEffect(Failed);
const Outputs = Schema.Struct({ outputs: Schema.Array(Schema.Struct({ key: Schema.String })) });
const decodeOutputs = Schema.decodeUnknownEffect(Outputs);
const Reason = Schema.fromJsonString(
  Schema.Struct({ error: Schema.String, copied: Schema.Boolean }),
);
const decodeReason = Schema.decodeUnknownEffect(Reason);

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

/** Keeps the events of a pipeline's objects away from it while something happens to them. */
const withoutEvents = <A, E, R>(pipeline: PipelineTopology, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { clients } = yield* LocalWorld;
    const Name = localRule(pipeline);
    yield* Effect.promise(() => clients.events.send(new DisableRuleCommand({ Name })));
    const done = yield* effect;
    yield* Effect.promise(() => clients.events.send(new EnableRuleCommand({ Name })));
    return done;
  });

/** Waits until the pipeline's queue holds nothing, visible or not. */
const emptied = Effect.fnUntraced(function* (pipeline: PipelineTopology) {
  const { clients, connection } = yield* LocalWorld;
  const left = Effect.promise(() =>
    clients.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(connection.endpoint, localQueues(pipeline).queue),
        AttributeNames: ["All"],
      }),
    ),
  ).pipe(
    Effect.map(
      ({ Attributes = {} }) =>
        Number(Attributes["ApproximateNumberOfMessages"]) +
        Number(Attributes["ApproximateNumberOfMessagesNotVisible"]) +
        Number(Attributes["ApproximateNumberOfMessagesDelayed"]),
    ),
  );
  yield* Effect.repeat(Effect.delay(left, "20 millis"), { until: (count) => count === 0 });
});

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a message", (it) => {
  it.effect("that is S3's test event is deleted, and nothing comes of it", () =>
    Effect.gen(function* () {
      const { deliver, handled, until } = yield* LocalWorld;
      yield* deliver(
        pipelines.imageRenditions,
        JSON.stringify({
          Service: "Amazon S3",
          Event: "s3:TestEvent",
          Time: "2026-11-20T10:00:00.000Z",
          Bucket: localBuckets.raw,
          RequestId: "5582815E1AEA5ADF",
          HostId: "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
        }),
      );
      yield* until(() => handled.some(({ reason }) => reason === "S3's test event"));
      const about = handled.find(({ reason }) => reason === "S3's test event");
      assert.strictEqual(about?.outcome, "ignored");
      yield* emptied(pipelines.imageRenditions);
    }),
  );

  for (const body of [
    '{"hello":"world"}',
    "no JSON \u{1F600}",
    "[]",
    '"{}"',
    // Every second byte of it is doubled when the text becomes a part of another.
    JSON.stringify({ quotes: '"'.repeat(180_000) }),
  ]) {
    it.effect(
      `of an unreadable text (${body.slice(0, 20)}) is dead-lettered with its cause and all of the text`,
      () =>
        Effect.gen(function* () {
          const { deliver, letters: allLetters } = yield* LocalWorld;
          yield* deliver(pipelines.csvToParquet, body);
          const [letter] = yield* allLetters(
            pipelines.csvToParquet,
            ({ original }) => original === body,
          );
          assert.strictEqual(letter?.subject, pipelines.csvToParquet.name);
          assert.deepInclude(letter?.cause, { tag: "MessageUnreadable" });
          assert.strictEqual(letter?.failureClass, "permanent");
          yield* emptied(pipelines.csvToParquet);
        }),
    );
  }

  it.effect("about an object that is gone fails as ObjectGone, with a reason and no copy", () =>
    Effect.gen(function* () {
      const { deliver, ended, letters: allLetters, read, remove, upload } = yield* LocalWorld;
      const csv = "id\n1\n";
      const uploaded = yield* withoutEvents(
        pipelines.csvToParquet,
        upload("incoming/gone.csv", csv),
      );
      yield* remove(uploaded.key, uploaded.versionId);
      yield* deliver(pipelines.csvToParquet, eventOf({ ...uploaded, sizeBytes: csv.length }));
      const row = yield* ended(uploaded);
      assert.strictEqual(row.status, "failed");
      const [failure] = yield* decodeFailed(row.result);
      assert.strictEqual(failure?.error._tag, "ObjectGone");
      const [letter] = yield* allLetters(
        pipelines.csvToParquet,
        ({ subject }) => subject === uploaded.subject,
      );
      assert.strictEqual(letter?.cause.tag, "ObjectGone");
      const document = yield* read(
        localBuckets.errors,
        `${uploaded.key}.${uploaded.versionId}.reason.json`,
      );
      assert.deepStrictEqual(yield* decodeReason(text(document.bytes)), {
        error: "ObjectGone",
        copied: false,
      });
    }),
  );

  it.effect("about a version that was overwritten meanwhile is about exactly that version", () =>
    Effect.gen(function* () {
      const { deliver, ended, read, upload, versions } = yield* LocalWorld;
      const texts = ["id,name\n1,older\n", "id,name\n1,newer\n"];
      const uploads = yield* withoutEvents(
        pipelines.csvToParquet,
        Effect.forEach(texts, (csv) => upload("incoming/over.csv", csv)),
      );
      const seen: Array<unknown> = [];
      for (const [index, uploaded] of uploads.entries()) {
        const sizeBytes = texts[index]?.length ?? 0;
        yield* deliver(pipelines.csvToParquet, eventOf({ ...uploaded, sizeBytes }));
        const row = yield* ended(uploaded);
        assert.strictEqual(row.status, "completed");
        const { outputs } = yield* decodeOutputs(row.result);
        const { bytes } = yield* read(localBuckets.clean, outputs[0]?.key ?? "");
        const rows = yield* queryDuckDb(bytes, "select name, _source_file from FILE");
        seen.push(rows[0]?.["name"]);
        assert.strictEqual(rows[0]?.["_source_file"], uploaded.subject);
      }
      assert.deepStrictEqual(seen, ["older", "newer"]);
      const outputs = yield* versions(localBuckets.clean);
      assert.lengthOf(
        outputs.filter(({ key }) => key.endsWith("/over.parquet")),
        2,
      );
    }),
  );
});
