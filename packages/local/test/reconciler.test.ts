/**
 * Goal: what was lost between the buckets and the executions is a figure that an alarm can watch, and a line that names it.
 * Method: a whole local mode in which one upload reaches no pipeline and one output is taken away; then the schedule that
 * local mode has made is brought forward.
 */
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
} from "@aws-sdk/client-eventbridge";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  GetScheduleCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Executions } from "@millrace/core";
import { DocumentClient, DynamoExecutions } from "@millrace/core/aws";
import { outputsOf } from "@millrace/workflows/outputsOf";
import { pipelines, reconciler } from "@millrace/workflows/topology";
import { Effect, Layer, Option, PubSub, Schedule, Schema } from "effect";
import {
  clientConfig,
  EmbeddedAws,
  HostEvents,
  layerLocalMode,
  localBuckets,
  localRule,
  localScheduled,
  localTables,
} from "../src/index.ts";

const { csvToParquet, imageRenditions } = pipelines;

const Gaps = Schema.fromJsonString(
  Schema.Struct({
    Pipeline: Schema.String,
    ConservationGap: Schema.Int,
  }),
);
const decodeGaps = Schema.decodeUnknownOption(Gaps);

const Told = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.String,
    level: Schema.Literal("WARN"),
    annotations: Schema.Struct({ pipeline: Schema.String, subject: Schema.String }),
  }),
);
const decodeTold = Schema.decodeUnknownOption(Told);

const connect = Effect.map(EmbeddedAws, (connection) => {
  const config = clientConfig(connection);
  const events = new EventBridgeClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const scheduler = new SchedulerClient(config);
  const Name = localRule(csvToParquet);
  const upload = (Key: string) =>
    s3.send(new PutObjectCommand({ Bucket: localBuckets.raw, Key, Body: "id\n1\n" }));
  return {
    upload: (key: string) => Effect.promise(() => upload(key)),
    uploadUnheard: (key: string) =>
      Effect.promise(async () => {
        await events.send(new DisableRuleCommand({ Name }));
        await upload(key);
        await events.send(new EnableRuleCommand({ Name }));
      }),
    remove: (Bucket: string, Key: string) =>
      Effect.promise(() => s3.send(new DeleteObjectCommand({ Bucket, Key }))),
    /** Without its start the schedule fires at once. */
    bringForward: Effect.promise(async () => {
      const { FlexibleTimeWindow, Name, ScheduleExpression, State, Target } = await scheduler.send(
        new GetScheduleCommand({ Name: localScheduled(reconciler) }),
      );
      assert.strictEqual(State, "ENABLED");
      await scheduler.send(
        new UpdateScheduleCommand({ FlexibleTimeWindow, Name, ScheduleExpression, Target }),
      );
    }),
  };
});

const stores = Layer.unwrap(
  Effect.map(EmbeddedAws, (connection) =>
    DynamoExecutions.layerDynamo(localTables.executions).pipe(
      Layer.provide(DocumentClient.layer(clientConfig(connection))),
    ),
  ),
);

const world = stores.pipe(
  Layer.provideMerge(layerLocalMode({ variables: { MILLRACE_RECONCILE_GRACE: "0 seconds" } })),
  Layer.provide(NodeServices.layer),
);

describe("the reconciler", () => {
  it.live("is invoked by its schedule, counts what does not add up, and names it", () =>
    Effect.gen(function* () {
      const { bringForward, remove, upload, uploadUnheard } = yield* connect;
      const lines = yield* PubSub.subscribe(yield* HostEvents);
      yield* upload("incoming/good.csv");
      yield* upload("incoming/without output.csv");
      const executions = yield* Executions;
      const rows = yield* executions.list({ status: "completed", rowsMax: 10 }).pipe(
        Effect.map(({ rows }) => rows),
        Effect.repeat({
          until: ({ length }) => length === 2,
          schedule: Schedule.spaced("25 millis"),
        }),
      );
      const row = rows.find(({ key }) => key.includes("without output"));
      const [output] = (row && outputsOf(row)) ?? [];
      assert.isDefined(output);
      if (output) yield* remove(output.bucket, output.key);
      yield* uploadUnheard("incoming/unheard.csv");
      // Objects have whole seconds: one second later all of them are older than the grace of none.
      yield* Effect.sleep("1 second");

      yield* bringForward;
      const told: Array<readonly [string, string]> = [];
      const gaps = new Map<string, typeof Gaps.Type>();
      yield* PubSub.take(lines).pipe(
        Effect.map((event) => {
          if (event._tag !== "Line" || event.function !== localScheduled(reconciler)) return;
          const found = Option.getOrUndefined(decodeGaps(event.line));
          if (found) gaps.set(found.Pipeline, found);
          const line = Option.getOrUndefined(decodeTold(event.line));
          if (line) told.push([line.message, line.annotations.subject]);
        }),
        Effect.repeat({
          until: () => [csvToParquet, imageRenditions].every(({ name }) => gaps.has(name)),
        }),
      );
      assert.strictEqual(gaps.get(csvToParquet.name)?.ConservationGap, 2);
      assert.strictEqual(gaps.get(imageRenditions.name)?.ConservationGap, 0);
      assert.deepStrictEqual(
        told.map(([kind, subject]) => [kind, /incoming\/[^@]+/.exec(subject)?.[0]]),
        [
          ["object without an execution", "incoming/unheard.csv"],
          ["completed execution without its output", "incoming/without output.csv"],
        ],
      );
    }).pipe(Effect.scoped, Effect.provide(world)),
  );
});
