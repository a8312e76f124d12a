/**
 * Goal: each figure of docs/operations.md counts what it says, once.
 * Method: messages through the worker and the real engine, each with a registry of its own, as an invocation has.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  MessageQueue,
  Metrics,
  ObjectCreated,
  type Pipeline,
  Retry,
  toEventText,
  Worker,
} from "@millrace/core";
import { type Context, Effect, Metric, Schema } from "effect";
import { Activity, Workflow } from "effect/workflow";
import { encodeWorkerMessage } from "../src/WorkerMessage.ts";
import { makeWorld, type Process } from "./engineWorld.ts";

class Busy extends Schema.TaggedError<Busy>()("Busy", { retryAfterMs: Schema.Int }) {
  readonly failureClass = "throttled";
}
class Away extends Schema.TaggedError<Away>()("Away", {}) {
  readonly failureClass = "transient";
}
class Slow extends Schema.TaggedError<Slow>()("Slow", {}) {
  readonly failureClass = "timeout";
}
class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {
  readonly failureClass = "permanent";
}

const eventEpochMs = 1_000;
const object = (key: string): ObjectCreated => ({
  bucket: "stage-raw",
  key,
  versionId: "v1",
  etag: "e1",
  sizeBytes: 30,
  sequencer: "01",
  eventEpochMs,
});

const Failure = Schema.Union([Busy, Away, Slow, Broken]);
type Failure = typeof Failure.Type;

/** One activity whose attempts fail with the failures given, and then does some work. */
const pipelineOf = (failures: ReadonlyArray<Failure>, policy: Partial<Retry.RetryPolicy> = {}) => {
  let attempts = 0;
  const workflow = Workflow.make("Counted", {
    payload: { object: ObjectCreated },
    error: Failure,
    idempotencyKey: ({ object }) => `${object.bucket}/${object.key}@${object.versionId}`,
  });
  const layer = workflow.toLayer(() =>
    Activity.make({
      name: "step",
      error: Failure,
      execute: Effect.suspend(() => {
        const failure = failures[attempts++];
        return failure
          ? Effect.fail(failure)
          : Metrics.countWork({
              bytesIn: 30,
              bytesOut: 20,
              rowsIn: 3,
              rowsOut: 2,
              rowsRejected: 1,
            });
      }),
    }).pipe(Retry.retryActivity({ baseMs: 1, jitter: 0, attemptsMax: 10, ...policy })),
  );
  const pipeline: Pipeline = {
    name: "objects",
    trigger: { bucket: "raw", prefix: "in/", suffixes: [".csv"] },
    bucketName: "stage-raw",
    queue: "objects",
    deadLetterQueue: "objects-dead-letters",
    workflow,
    payloadOf: (object) => ({ object }),
  };
  return { layer, pipeline, workflow };
};

/** Handles a message; gives every counter that moved, and how many values each histogram got. */
const countedIn = Effect.fnUntraced(function* (process: Process, pipeline: Pipeline, body: string) {
  const registry: Context.Service.Shape<typeof Metric.MetricRegistry> = new Map();
  yield* process
    .run(
      Effect.gen(function* () {
        const worker = yield* Worker;
        for (const { outcome } of yield* worker.handle(pipeline, body)) {
          yield* Metrics.countOutcome(outcome);
        }
      }).pipe(
        Effect.provide(Worker.layer),
        Effect.provideService(MessageQueue, { send: () => Effect.void }),
      ),
    )
    .pipe(Effect.provideService(Metric.MetricRegistry, registry));
  const snapshots = yield* Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry);
  const counted: Record<string, number> = {};
  for (const { id, state, type } of snapshots) {
    const value = type === "Counter" || type === "Histogram" ? Number(state.count) : undefined;
    if (value) counted[id] = value;
  }
  return counted;
});

const ended = { EndToEndMs: 1, ExecutionMs: 1, ExecutionsCompleted: 1 };
const done = { Files: 1, RowsIn: 3, RowsOut: 2, RowsRejected: 1, BytesIn: 30, BytesOut: 20 };

describe("the figures of an invocation", () => {
  it.live("of a new object tell of the upload, its work and its end; a duplicate is absorbed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = pipelineOf([]);
      const process = yield* world.start(layer, "frozen");
      const event = toEventText(object("in/a.csv"));
      const first = yield* countedIn(process, pipeline, event);
      assert.deepStrictEqual(first, {
        Uploads: 1,
        ExecutionsStarted: 1,
        Steps: 1,
        StepMs: 1,
        ...done,
        ...ended,
      });
      assert.deepStrictEqual(yield* countedIn(process, pipeline, event), { DuplicatesAbsorbed: 1 });
    }).pipe(Effect.scoped),
  );

  it.live("of an object that nobody wants tell of an upload that was ignored", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = pipelineOf([]);
      const process = yield* world.start(layer, "frozen");
      const event = toEventText(object("in/readme.txt"));
      const counted = yield* countedIn(process, pipeline, event);
      assert.deepStrictEqual(counted, { Uploads: 1, ObjectsIgnored: 1 });
      const unreadable = yield* countedIn(process, pipeline, "no message");
      assert.deepStrictEqual(unreadable, { DeadLetters: 1 });
    }).pipe(Effect.scoped),
  );

  it.live("count each attempt after the first by the class of the failure before it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = pipelineOf([
        new Away(),
        new Busy({ retryAfterMs: 1 }),
        new Slow(),
        new Away(),
        new Broken(),
      ]);
      const process = yield* world.start(layer, "frozen");
      const counted = yield* countedIn(process, pipeline, toEventText(object("in/a.csv")));
      assert.deepInclude(counted, {
        RetriesTransient: 2,
        RetriesThrottled: 1,
        RetriesTimeout: 1,
        Steps: 5,
        StepFailures: 5,
        ExecutionsFailed: 1,
        EndToEndMs: 1,
      });
      assert.notProperty(counted, "Files");
    }).pipe(Effect.scoped),
  );

  it.live(
    "count a retry after a durable pause once, though the replay meets its failure again",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const { layer, pipeline, workflow } = pipelineOf([new Away()]);
        const process = yield* world.start(layer, "frozen");
        const payload = { object: object("in/a.csv") };
        // Without a retry left the pause is a timer.
        const first = yield* countedIn(process, pipeline, toEventText(payload.object)).pipe(
          Retry.withBudget({ retriesMax: 0 }),
        );
        assert.deepInclude(first, { ExecutionsSuspended: 1, StepFailures: 1 });
        assert.notProperty(first, "RetriesTransient");

        const executionId = yield* workflow.executionId(payload);
        const commits = yield* world.journal.load(executionId, 0);
        const clock = commits
          .flatMap(({ events }) => events)
          .find((event) => event._tag === "ClockScheduled");
        const body = encodeWorkerMessage({
          _tag: "TimerDue",
          millrace: 1,
          workflow: workflow._tag,
          executionId,
          clock: clock?.name ?? "",
          wakeAtEpochMs: 0,
        });
        const second = yield* countedIn(process, pipeline, body);
        assert.deepInclude(second, { RetriesTransient: 1, Files: 1, ExecutionsCompleted: 1 });
        assert.deepStrictEqual(yield* countedIn(process, pipeline, body), {});
      }).pipe(Effect.scoped),
  );

  it.effect("count the retries of `retry`, too", () =>
    Effect.gen(function* () {
      let asked = 0;
      const failures = [new Away(), new Slow()];
      yield* Effect.suspend(() => {
        const failure = failures[asked++];
        return failure ? Effect.fail(failure) : Effect.void;
      }).pipe(Retry.retry({ baseMs: 0, jitter: 0 }));
      const snapshots = yield* Metric.snapshot;
      const names = snapshots.map(({ id }) => id).toSorted();
      assert.deepStrictEqual(names, ["RetriesTimeout", "RetriesTransient"]);
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  );
});

const gauges = (rows: Parameters<typeof Metrics.gaugeInFlight>[0]) =>
  Effect.map(Effect.andThen(Metrics.gaugeInFlight(rows, 10_000), Metric.snapshot), (all) =>
    Object.fromEntries(
      all.flatMap(({ id, state, type }) => (type === "Gauge" ? [[id, state.value]] : [])),
    ),
  );

describe("the gauges of what is in flight", () => {
  it.effect("count open rows by status, and the age of the oldest; nothing is zero", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* gauges([
          { status: "running", startedEpochMs: 9_000 },
          { status: "suspended", startedEpochMs: 4_000 },
          { status: "suspended", startedEpochMs: 5_000 },
          { status: "parked", startedEpochMs: 8_000 },
        ]),
        {
          InFlight: 4,
          InFlightRunning: 1,
          InFlightSuspended: 2,
          InFlightParked: 1,
          OldestInFlightMs: 6_000,
        },
      );
      assert.deepStrictEqual(yield* gauges([]), {
        InFlight: 0,
        InFlightRunning: 0,
        InFlightSuspended: 0,
        InFlightParked: 0,
        OldestInFlightMs: 0,
      });
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  );
});
