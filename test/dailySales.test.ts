/**
 * Goal: a day's sales are validated, transformed in a task, and notified of, as requirement D2.5 says it; and the history
 * reads like that sentence.
 * Method: the workflow and its containers in processes of their own over one journal and one store, on a test clock;
 * containers end as the test says. Local mode has the same stories in `dailySalesLocal.test.ts`.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import {
  type Commit,
  ExecutionRunner,
  FargateTask,
  Lifecycle,
  type LifecycleEvent,
  MessageQueue,
  type TaskRequest,
  Tasks,
} from "@millrace/core";
import { Buckets, layerHyparquet } from "@millrace/workflows";
import {
  DailySales,
  DailySalesTransform,
  layerDailySales,
  layerDailySalesTransform,
} from "@millrace/workflows/DailySales";
import { Effect, Layer, Schema } from "effect";
import { TestClock } from "effect/testing";
import { makeWorld } from "../packages/core/test/engineWorld.ts";
import { encodeTaskEnd } from "../packages/core/src/task/TaskEnd.ts";
import { makeMemoryStore } from "../packages/workflows/test/memoryStore.ts";
import { tellTask } from "./tellTask.ts";

const good = `order_id,order_date,store,quantity,unit_price,total_amount
1,2026-11-29,Boston,2,9.99,19.98
2,2026-11-29,São Paulo,1,100.00,100.00
`;
const hour = 3_600_000;
const decodeTask = Schema.decodeUnknownSync(FargateTask.TaskExecutionText);
const decodePayload = Schema.decodeUnknownSync(DailySalesTransform.payloadSchema);

const begin = Effect.fnUntraced(function* (content: string) {
  const world = yield* makeWorld;
  const { objects, store } = makeMemoryStore();
  const key = "sales/2026-11-29.csv";
  const bytes = Buffer.from(content);
  objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
  const requests: Array<TaskRequest> = [];
  const stopped: Array<string> = [];
  const announced: Array<LifecycleEvent> = [];
  const letters: Array<string> = [];
  const outside = Layer.mergeAll(
    store,
    layerHyparquet,
    NodeServices.layer,
    Layer.succeed(Buckets, { raw: "raw", clean: "clean", errors: "errors" }),
    Layer.succeed(MessageQueue, {
      send: (_queue, body) => Effect.sync(() => void letters.push(body)),
    }),
    Layer.succeed(Lifecycle, {
      announce: (events) => Effect.sync(() => void announced.push(...events)),
    }),
    Layer.succeed(Tasks, {
      isAvailable: true,
      run: (request) => {
        requests.push(request);
        return Effect.succeed({ task: `task ${requests.length}` });
      },
      stop: (task) => Effect.sync(() => void stopped.push(task)),
    }),
  );
  const process = yield* world.start(Layer.provide(layerDailySales, outside), "frozen");
  const container = yield* world.start(Layer.provide(layerDailySalesTransform, outside));
  const payload = {
    object: {
      bucket: "raw",
      key,
      etag: "e1",
      sizeBytes: bytes.length,
      sequencer: "1",
      eventEpochMs: Date.UTC(2026, 10, 30),
    },
  };
  const executionId = yield* DailySales.executionId(payload);
  yield* process.run(ExecutionRunner.use((one) => one.start(DailySales, payload)));
  const told = () =>
    decodeTask(requests.at(-1)?.environment[FargateTask.taskExecutionVariable] ?? "{}");
  return {
    requests,
    stopped,
    objects,
    letters,
    outcomes: () =>
      announced.flatMap(({ failure, kind }) =>
        kind === "ExecutionCompleted" || kind === "ExecutionFailed"
          ? [failure === undefined ? "success" : failure.tag]
          : [],
      ),
    history: Effect.map(world.journal.load(executionId, 0), tellTask),
    /** The last container's work, and its own report. */
    work: Effect.gen(function* () {
      const { parent, payload: json } = told();
      yield* container.run(Effect.exit(DailySalesTransform.execute(decodePayload(json))));
      yield* process.run(
        ExecutionRunner.use((one) =>
          one.complete(executionId, {
            deferred: parent.deferred,
            exit: encodeTaskEnd({ toldBy: "task", exitCode: 0 }),
          }),
        ),
      );
    }),
    /** The last container ends before its work does. */
    end: (end: FargateTask.TaskEnd) =>
      process.run(
        ExecutionRunner.use((one) =>
          one.complete(executionId, {
            deferred: told().parent.deferred,
            exit: encodeTaskEnd(end),
          }),
        ),
      ),
    pass: Effect.fnUntraced(function* (ms: number) {
      yield* TestClock.adjust(ms);
      const commits: ReadonlyArray<Commit> = yield* world.journal.load(executionId, 0);
      for (const { events } of commits) {
        for (const event of events) {
          if (event._tag !== "ClockScheduled") continue;
          const timer = { workflow: "DailySales", executionId, clock: event.name };
          yield* process.run(ExecutionRunner.use((one) => one.timerDue(timer)));
        }
      }
    }),
  };
});

const crashed: FargateTask.TaskEnd = {
  toldBy: "ecs",
  exitCode: 1,
  stopCode: "EssentialContainerExited",
};

describe("a day's sales", () => {
  it.effect("are validated, transformed in a task, and their success is notified of", () =>
    Effect.gen(function* () {
      const { history, objects, outcomes, work } = yield* begin(good);
      yield* work;
      assert.deepStrictEqual(yield* history, [
        "announce start",
        "validate",
        "transform: launch 1",
        "task ended: 0",
        "transform",
        "notify success",
        "completed",
      ]);
      assert.deepStrictEqual(outcomes(), ["success"]);
      assert.isTrue(objects.has("clean/sales/2026/11/30/2026-11-29.parquet"));
    }),
  );

  it.effect("that are no sales are notified of as invalid data, quarantined, and in no task", () =>
    Effect.gen(function* () {
      const { history, letters, objects, outcomes, requests } = yield* begin("a,b\n1,2\n");
      assert.deepStrictEqual(yield* history, [
        "announce start",
        "validate",
        "quarantine",
        "DeadLetter",
        "notify invalid data",
        "failed: InvalidSales",
      ]);
      assert.deepStrictEqual(outcomes(), ["InvalidSales"]);
      assert.lengthOf(requests, 0);
      assert.lengthOf(letters, 1);
      assert.isTrue(objects.has("errors/sales/2026-11-29.csv.e1.reason.json"));
    }),
  );

  it.effect(
    "whose transform fails twice are transformed at the third time, after 60 and 120 s",
    () =>
      Effect.gen(function* () {
        const { end, history, outcomes, pass, work } = yield* begin(good);
        yield* end(crashed);
        yield* pass(60_000);
        yield* end(crashed);
        yield* pass(120_000);
        yield* work;
        assert.deepStrictEqual(yield* history, [
          "announce start",
          "validate",
          "transform: launch 1",
          "task ended: 1 EssentialContainerExited",
          "transform failed: TaskFailed",
          "pause of 60 s",
          "transform: launch 2",
          "task ended: 1 EssentialContainerExited",
          "transform failed: TaskFailed",
          "pause of 120 s",
          "transform: launch 3",
          "task ended: 0",
          "transform",
          "notify success",
          "completed",
        ]);
        assert.deepStrictEqual(outcomes(), ["success"]);
      }),
  );

  it.effect(
    "whose transform takes longer than 3,600 s three times fail, and that is notified of",
    () =>
      Effect.gen(function* () {
        const { history, letters, objects, outcomes, pass, stopped } = yield* begin(good);
        for (const pause of [60_000, 120_000, 1]) {
          yield* pass(hour);
          yield* pass(pause);
        }
        assert.deepStrictEqual(yield* history, [
          "announce start",
          "validate",
          "transform: launch 1",
          "time limit",
          "transform failed: TimedOut",
          "pause of 60 s",
          "transform: launch 2",
          "time limit",
          "transform failed: TimedOut",
          "pause of 120 s",
          "transform: launch 3",
          "time limit",
          "transform failed: TimedOut",
          "DeadLetter",
          "notify failure",
          "failed: TimedOut",
        ]);
        assert.deepStrictEqual(outcomes(), ["TimedOut"]);
        assert.deepStrictEqual(stopped, ["task 1", "task 2", "task 3"]);
        assert.lengthOf(letters, 1);
        // The file is well: it stays where it is.
        assert.isFalse([...objects.keys()].some((name) => name.startsWith("errors/")));
      }),
  );

  it.effect("whose task is killed are transformed by the next one", () =>
    Effect.gen(function* () {
      const { end, history, outcomes, pass, work } = yield* begin(good);
      yield* end({ toldBy: "ecs", exitCode: 137, stopCode: "EssentialContainerExited" });
      yield* pass(60_000);
      yield* work;
      assert.includeMembers(
        [...(yield* history)],
        ["task ended: 137 EssentialContainerExited", "transform: launch 2", "notify success"],
      );
      assert.deepStrictEqual(outcomes(), ["success"]);
    }),
  );
});
