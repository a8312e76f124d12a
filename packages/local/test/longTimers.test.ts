/**
 * Goal: a workflow that sleeps for longer than a queue can delay is woken by a schedule, once, whoever asks for it how
 * often. Method: the engine and the worker over the real adapters, unmodified clients and the embedded SQS and
 * Scheduler, on a test clock.
 */
import * as Sdk from "@aws-sdk/client-scheduler";
import { assert, describe, it } from "@effect/vitest";
import {
  Engine,
  type Handled,
  ObjectCreated,
  objectIdentity,
  type Pipeline,
  QueueSchedules,
  QueueWakes,
  toEventText,
  Worker,
} from "@millrace/core";
import { EventBridgeSchedules, SqsMessageQueue } from "@millrace/core/aws";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Clock, Context, Effect, Layer, Schema } from "effect";
import { TestClock } from "effect/testing";
import { DurableClock, Workflow } from "effect/workflow";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { Scheduler } from "../src/scheduler/Scheduler.ts";
import { Sqs } from "../src/sqs/Sqs.ts";
import { call, clientConfiguration } from "./inProcess.ts";
import { connect, queueArn, RoleArn, world } from "./schedulerClient.ts";

const Nap = Workflow.make("Nap", {
  payload: { object: ObjectCreated },
  success: Schema.Finite,
  idempotencyKey: ({ object }) => objectIdentity(object),
});

/** Sleeps twice: beyond a queue's delay, and within it. */
const layerNap = Nap.toLayer(
  Effect.fnUntraced(function* () {
    yield* DurableClock.sleep({ name: "long", duration: "20 minutes", inMemoryThreshold: 1_000 });
    yield* DurableClock.sleep({ name: "short", duration: "10 minutes", inMemoryThreshold: 1_000 });
    return yield* Clock.currentTimeMillis;
  }),
);

const pipeline: Pipeline = {
  name: "nap",
  trigger: { bucket: "raw", prefix: "incoming/", suffixes: [".txt"] },
  bucketName: "raw",
  queue: "nap",
  deadLetterQueue: "nap-dead",
  workflow: Nap,
  payloadOf: (object) => ({ object }),
};

const event = toEventText({
  bucket: "raw",
  key: "incoming/a.txt",
  versionId: "v1",
  etag: "e",
  sizeBytes: 1,
  sequencer: "00",
  eventEpochMs: 0,
});

const minute = 60_000;

const adapters = Effect.gen(function* () {
  const sqsProtocol = jsonProtocol({
    service: "SQS",
    targetPrefix: "AmazonSQS",
    version: "1.0",
    operations: (yield* Sqs).operations,
  });
  const messages = SqsMessageQueue.layerSqs(
    (queue) => `http://127.0.0.1:4566/000000000000/${queue}`,
    yield* clientConfiguration(sqsProtocol),
  );
  const schedules = EventBridgeSchedules.layerScheduler(
    {
      groupName: "stage",
      roleArn: RoleArn,
      targetOf: (queue) => ({
        queueArn: queueArn(queue),
        deadLetterArn: queueArn(`${queue}-undelivered`),
      }),
    },
    yield* clientConfiguration((yield* Scheduler).handler),
  );
  return { messages, schedules };
});

/** A process with the pipeline's worker, and what a test sees of it. */
const start = Effect.fnUntraced(function* (
  options: QueueWakes.QueueWakesOptions & { readonly scheduler?: "none" } = {},
) {
  const { client, createQueue, sqs } = yield* connect;
  for (const name of ["nap", "nap-dead", "nap-undelivered"]) yield* createQueue(name);
  yield* call(() => client.send(new Sdk.CreateScheduleGroupCommand({ Name: "stage" })));
  const { messages, schedules } = yield* adapters;
  const scheduling = options.scheduler === "none" ? QueueSchedules.layerQueueDelay : schedules;
  const wakes = QueueWakes.layerQueue(() => pipeline.queue, options);
  const context = yield* Layer.build(
    Worker.layer.pipe(
      Layer.provide(layerNap),
      Layer.provide(Layer.provide(Engine.layer(), wakes)),
      Layer.provide(scheduling),
      Layer.provide(messages),
      Layer.provide(SqliteJournal.layerSqlite(":memory:")),
    ),
  );
  const worker = Context.get(context, Worker);
  return {
    deliver: (body: string) => worker.handle(pipeline, body),
    /** The schedules of the functions, as the scheduler describes them. */
    scheduled: Effect.gen(function* () {
      const { Schedules = [] } = yield* call(() =>
        client.send(new Sdk.ListSchedulesCommand({ GroupName: "stage" })),
      );
      return yield* Effect.forEach(Schedules, ({ Name }) =>
        call(() => client.send(new Sdk.GetScheduleCommand({ Name, GroupName: "stage" }))),
      );
    }),
    /** Lets time pass; then everything that has become visible is handled. */
    after: Effect.fnUntraced(function* (ms: number) {
      yield* TestClock.adjust(ms);
      const handled: Array<Handled> = [];
      for (const { body, receiptHandle } of yield* sqs.receive("nap", { max: 10 })) {
        handled.push(...(yield* worker.handle(pipeline, body)));
        yield* sqs.delete("nap", receiptHandle);
      }
      return handled.map(({ outcome, status }) => `${outcome} ${status ?? ""}`);
    }),
  };
});

describe("a timer", () => {
  it.effect(
    "beyond the queue's delay is one schedule, and wakes the execution at its instant",
    () =>
      Effect.gen(function* () {
        const { after, deliver, scheduled } = yield* start();
        yield* deliver(event);
        const [schedule, ...others] = yield* scheduled;
        assert.deepStrictEqual(others, []);
        assert.deepInclude(schedule, {
          ScheduleExpression: "at(1970-01-01T00:20:00)",
          ScheduleExpressionTimezone: "UTC",
          FlexibleTimeWindow: { Mode: "OFF" },
          ActionAfterCompletion: "DELETE",
        });
        assert.match(schedule?.Name ?? "", /^[0-9a-f]{64}$/u);
        assert.deepInclude(schedule?.Target, {
          Arn: queueArn("nap"),
          RoleArn,
          DeadLetterConfig: { Arn: queueArn("nap-undelivered") },
        });
        assert.deepStrictEqual(yield* after(20 * minute - 1), []);
        // The second sleep is within the queue's delay.
        assert.deepStrictEqual(yield* after(1), ["advanced suspended"]);
        assert.deepStrictEqual(yield* scheduled, []);
        assert.deepStrictEqual(yield* after(10 * minute), ["advanced completed"]);
      }).pipe(Effect.scoped, Effect.provide(world)),
  );

  it.effect("that is asked for again, because a replay asks, stays one schedule", () =>
    Effect.gen(function* () {
      const { after, deliver, scheduled } = yield* start();
      const [begun] = yield* deliver(event);
      const wake = { _tag: "Wake", millrace: 1, workflow: "Nap", mode: "explicit" };
      for (let times = 0; times < 3; times++) {
        yield* deliver(JSON.stringify({ ...wake, executionId: begun?.executionId }));
        assert.strictEqual((yield* scheduled).length, 1);
      }
      assert.deepStrictEqual(yield* after(20 * minute), ["advanced suspended"]);
    }).pipe(Effect.scoped, Effect.provide(world)),
  );

  it.effect("whose message comes early is asked for again, and does not fire", () =>
    Effect.gen(function* () {
      const { after, deliver, scheduled } = yield* start();
      yield* deliver(event);
      const [schedule] = yield* scheduled;
      yield* TestClock.adjust(10 * minute);
      const [early] = yield* deliver(schedule?.Target?.Input ?? "");
      assert.strictEqual(early?.status, "suspended");
      assert.deepStrictEqual(yield* after(10 * minute - 1), []);
      // Now within the queue's delay: the queue brings it too. The first is the timer, the second finds nothing new.
      assert.deepStrictEqual(yield* after(1), ["advanced suspended", "unneeded suspended"]);
      assert.include(yield* after(10 * minute), "advanced completed");
    }).pipe(Effect.scoped, Effect.provide(world)),
  );

  it.effect("of any length is a schedule when the queue may delay nothing", () =>
    Effect.gen(function* () {
      const { after, deliver, scheduled } = yield* start({ queueDelayMsMax: 0 });
      yield* deliver(event);
      assert.deepStrictEqual(yield* after(20 * minute), ["advanced suspended"]);
      const [short] = yield* scheduled;
      assert.strictEqual(short?.ScheduleExpression, "at(1970-01-01T00:30:00)");
      assert.deepStrictEqual(yield* after(10 * minute), ["advanced completed"]);
    }).pipe(Effect.scoped, Effect.provide(world)),
  );

  it.effect(
    "where there is no scheduler goes through the queue's longest delay, again and again",
    () =>
      Effect.gen(function* () {
        const { after, deliver, scheduled } = yield* start({ scheduler: "none" });
        yield* deliver(event);
        assert.deepStrictEqual(yield* scheduled, []);
        assert.deepStrictEqual(yield* after(15 * minute), ["unneeded suspended"]);
        assert.deepStrictEqual(yield* after(5 * minute), ["advanced suspended"]);
        assert.deepStrictEqual(yield* after(10 * minute), ["advanced completed"]);
      }).pipe(Effect.scoped, Effect.provide(world)),
  );
});

describe("a schedule's instant", () => {
  it.each([
    [0, "at(1970-01-01T00:00:00)"],
    [1, "at(1970-01-01T00:00:01)"],
    [1_000, "at(1970-01-01T00:00:01)"],
    [Date.UTC(2026, 10, 20, 23, 59, 59, 1), "at(2026-11-21T00:00:00)"],
  ])("%d is a whole second, never an earlier one: %s", (epochMs, expression) => {
    assert.strictEqual(EventBridgeSchedules.atExpression(epochMs), expression);
  });
});
