/**
 * Goal: an execution whose every wake was lost is run on, because the sweeper's schedule invokes the sweeper's function
 * and that asks the pipeline's queue for it.
 * Method: a history whose run died ten minutes ago is put into the tables of a whole local mode, with nothing in any
 * queue; then the schedule that local mode has made is brought forward, as nobody wants to wait for its minute.
 */
import { DisableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  GetScheduleCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import {
  type Commit,
  Executions,
  Journal,
  type ObjectCreated,
  objectIdentity,
} from "@millrace/core";
import { DocumentClient, DynamoExecutions, DynamoJournal } from "@millrace/core/aws";
import { handler } from "@millrace/functions/sweeper";
import { CsvToParquet } from "@millrace/workflows";
import { pipelines, sweeper } from "@millrace/workflows/topology";
import { Clock, Effect, Layer, Option, PubSub, Schedule, Schema } from "effect";
import {
  clientConfig,
  EmbeddedAws,
  HostEvents,
  layerLocalMode,
  localBuckets,
  localQueues,
  localRule,
  localScheduled,
  localTables,
  queueUrl,
} from "../src/index.ts";

const diedAgoMs = 600_000;

/** A history that began, and a row that says so, of a process that is no more. */
const leaveBehind = Effect.fnUntraced(function* (object: ObjectCreated, executionId: string) {
  const journal = yield* Journal;
  const executions = yield* Executions;
  const atEpochMs = (yield* Clock.currentTimeMillis) - diedAgoMs;
  const started: Commit["events"][number] = {
    _tag: "ExecutionStarted",
    workflow: CsvToParquet._tag,
    idempotencyKey: objectIdentity(object),
    payload: { object },
    payloadHash: "as it was",
    atEpochMs,
  };
  const run: Commit["events"][number] = {
    _tag: "RunStarted",
    owner: "a process that died",
    codeVersion: "local",
    leaseUntilEpochMs: atEpochMs + 1_000,
    atEpochMs,
  };
  yield* journal.append({ executionId, commit: 1, writer: "test", events: [started, run] });
  yield* executions.record({
    executionId,
    workflow: CsvToParquet._tag,
    key: objectIdentity(object),
    status: "running",
    commit: 1,
    steps: 0,
    runs: 1,
    startedEpochMs: atEpochMs,
    updatedEpochMs: atEpochMs,
  });
});

const Swept = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.Literal("swept"),
    annotations: Schema.Struct({
      looked: Schema.Int,
      nudged: Schema.Int,
      repaired: Schema.Int,
      unreadable: Schema.Int,
    }),
  }),
);
const Figures = Schema.Struct({
  Pipeline: Schema.String,
  ForgottenExecutions: Schema.optionalKey(Schema.Int),
  InFlight: Schema.optionalKey(Schema.Int),
  InFlightRunning: Schema.optionalKey(Schema.Int),
});
const decodeFigures = Schema.decodeUnknownOption(Schema.fromJsonString(Figures));
const decodeSwept = Schema.decodeUnknownOption(Swept);

const counters = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/** What the bucket, the bus, the queue and the scheduler are asked. */
const connect = Effect.map(EmbeddedAws, (connection) => {
  const config = clientConfig(connection);
  const pipeline = pipelines.csvToParquet;
  const QueueUrl = queueUrl(connection.endpoint, localQueues(pipeline).queue);
  const events = new EventBridgeClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const scheduler = new SchedulerClient(config);
  const sqs = new SQSClient(config);
  return {
    /** Uploads without anybody hearing of it. */
    uploadUnheard: (Key: string, text: string) =>
      Effect.promise(async (): Promise<ObjectCreated> => {
        await events.send(new DisableRuleCommand({ Name: localRule(pipeline) }));
        const Bucket = localBuckets.raw;
        const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: text }));
        return {
          bucket: Bucket,
          key: Key,
          versionId: put.VersionId ?? "",
          etag: (put.ETag ?? "").replaceAll('"', ""),
          sizeBytes: text.length,
          sequencer: "00",
          eventEpochMs: 0,
        };
      }),
    queueIsEmpty: Effect.promise(async () => {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
      );
      return counters.every((counter) => Attributes[counter] === "0");
    }),
    /** Without its start the schedule fires at once. */
    bringForward: Effect.promise(async () => {
      const { FlexibleTimeWindow, Name, ScheduleExpression, State, Target } = await scheduler.send(
        new GetScheduleCommand({ Name: localScheduled(sweeper) }),
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
    Layer.merge(
      DynamoJournal.layerDynamo(localTables.journal),
      DynamoExecutions.layerDynamo(localTables.executions),
    ).pipe(Layer.provide(DocumentClient.layer(clientConfig(connection)))),
  ),
);

const world = stores.pipe(Layer.provideMerge(layerLocalMode()), Layer.provide(NodeServices.layer));

describe("the sweeper", () => {
  it.live("is invoked by its schedule and heals an execution that was forgotten", () =>
    Effect.gen(function* () {
      const { bringForward, queueIsEmpty, uploadUnheard } = yield* connect;
      const lines = yield* PubSub.subscribe(yield* HostEvents);
      const object = yield* uploadUnheard("incoming/forgotten.csv", "id,name\n1,a\n");
      const executionId = yield* CsvToParquet.executionId({ object });
      yield* leaveBehind(object, executionId);
      assert.isTrue(yield* queueIsEmpty);

      yield* bringForward;
      const executions = yield* Executions;
      const row = yield* executions.find(executionId).pipe(
        Effect.repeat({
          until: (found) => found?.status === "completed",
          schedule: Schedule.spaced("25 millis"),
        }),
      );
      assert.strictEqual(row?.runs, 2);
      const figures: Array<typeof Figures.Type> = [];
      const swept = yield* PubSub.take(lines).pipe(
        Effect.map((event) => {
          if (event._tag !== "Line") return Option.none();
          const figure = event.function === localScheduled(sweeper) && decodeFigures(event.line);
          if (figure && Option.isSome(figure)) figures.push(figure.value);
          return decodeSwept(event.line);
        }),
        Effect.repeat({ until: Option.isSome }),
      );
      assert.includeDeepMembers(figures, [
        { Pipeline: "sweeper", ForgottenExecutions: 1 },
        { Pipeline: pipelines.csvToParquet.name, InFlight: 1, InFlightRunning: 1 },
        { Pipeline: pipelines.imageRenditions.name, InFlight: 0, InFlightRunning: 0 },
      ]);
      assert.deepStrictEqual(Option.getOrUndefined(swept)?.annotations, {
        looked: 1,
        nudged: 1,
        repaired: 0,
        unreadable: 0,
      });
    }).pipe(Effect.scoped, Effect.provide(world)),
  );
});

describe("the sweeper's function", () => {
  it("that was not configured says which variable is missing", async () => {
    const error: unknown = await handler().then(
      () => assert.fail("it ran"),
      (cause: unknown) => cause,
    );
    assert.strictEqual(
      typeof error === "object" && error !== null && Reflect.get(error, "_tag"),
      "SweeperNotConfigured",
    );
    assert.match(String(error), /MILLRACE_TABLE_JOURNAL/u);
  });
});
