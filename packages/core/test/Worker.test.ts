/**
 * Goal: a message is done with only when what it asked for is stored; duplicates join, the unreadable is kept.
 * Method: the real engine over one journal, in one or two processes; queue and index are records of what came in.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  DeadLetter,
  type Delivery,
  MessageQueue,
  ObjectCreated,
  type Pipeline,
  ProcessDeadline,
  QueueUnavailable,
  toEventText,
  Worker,
} from "@millrace/core";
import { Clock, Deferred, Effect, Exit, Schema } from "effect";
import { Activity, DurableClock, Workflow } from "effect/workflow";
import { encodeWorkerMessage } from "../src/WorkerMessage.ts";
import { makeWorld, type Process } from "./engineWorld.ts";

class Broken extends Schema.TaggedError<Broken>()("Broken", { why: Schema.String }) {
  readonly failureClass = "permanent";
}

const object = (key: string, changes: Partial<ObjectCreated> = {}): ObjectCreated => ({
  bucket: "stage-raw",
  key,
  versionId: "v1",
  etag: "e1",
  sizeBytes: 3,
  sequencer: "01",
  eventEpochMs: 1_000,
  ...changes,
});

/** A workflow over objects whose one activity is the test's affair. */
const workflowOf = (step: Effect.Effect<void, Broken>, pauseMs = 0) => {
  const workflow = Workflow.make("Objects", {
    payload: { object: ObjectCreated },
    error: Broken,
    idempotencyKey: ({ object }) => `${object.bucket}/${object.key}@${object.versionId}`,
  });
  const layer = workflow.toLayer(
    Effect.fnUntraced(function* () {
      if (pauseMs > 0) {
        yield* DurableClock.sleep({ name: "pause", duration: pauseMs, inMemoryThreshold: 0 });
      }
      yield* Activity.make({ name: "step", error: Broken, execute: step });
    }),
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

interface Sent {
  readonly queue: string;
  readonly body: string;
  readonly delayMs: number | undefined;
}

/** Hands messages to a worker in a process. */
const makeHandler = (
  pipeline: Pipeline,
  options: { readonly queueIsDown?: boolean; readonly delivery?: Delivery } = {},
) => {
  const sent: Array<Sent> = [];
  const handle = (process: Process, body: string, deadlineEpochMs?: number) =>
    process.run(
      Effect.flatMap(Worker, (worker) => worker.handle(pipeline, body, options.delivery)).pipe(
        Effect.provide(Worker.layer),
        Effect.provideService(ProcessDeadline, deadlineEpochMs),
        Effect.provideService(MessageQueue, {
          send: (queue, body, given) =>
            options.queueIsDown
              ? Effect.fail(new QueueUnavailable({ queue, cause: "down" }))
              : Effect.sync(() => void sent.push({ queue, body, delayMs: given?.delayMs })),
        }),
      ),
    );
  return { handle, sent };
};

const letterOf = (sent: ReadonlyArray<Sent>) => {
  assert.strictEqual(sent[0]?.queue, "objects-dead-letters");
  return DeadLetter.decodeEnvelope(sent[0]?.body ?? "");
};

const record = (key: string) => ({
  eventSource: "aws:s3",
  eventName: "ObjectCreated:Put",
  eventTime: "2026-11-20T10:00:00.000Z",
  s3: { bucket: { name: "stage-raw" }, object: { key, size: 1, eTag: "e", sequencer: "1" } },
});

describe("the worker", () => {
  it.live("starts an execution for an object, and keeps its row", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const { handle, sent } = makeHandler(pipeline);
      const [handled] = yield* handle(
        yield* world.start(layer, "frozen"),
        toEventText(object("in/a.csv")),
      );
      assert.deepInclude(handled, {
        outcome: "started",
        subject: "stage-raw/in/a.csv@v1",
        status: "completed",
      });
      assert.lengthOf(world.rows, 1);
      assert.deepInclude(world.rows[0], {
        executionId: handled?.executionId ?? "",
        workflow: "Objects",
        key: "stage-raw/in/a.csv@v1",
        status: "completed",
        steps: 1,
        runs: 1,
      });
      assert.deepStrictEqual(sent, []);
    }),
  );

  it.live("joins a duplicate, in the same process and in another, and does nothing twice", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      let steps = 0;
      const { layer, pipeline } = workflowOf(Effect.sync(() => void steps++));
      const { handle } = makeHandler(pipeline);
      const one = yield* world.start(layer, "frozen");
      const other = yield* world.start(layer, "frozen");
      const body = toEventText(object("in/a.csv"));
      const replayed = JSON.stringify({ ...JSON.parse(body), "replay-name": "monday" });
      const outcomes = [
        ...(yield* handle(one, body)),
        ...(yield* handle(one, body)),
        ...(yield* handle(other, replayed)),
      ];
      assert.deepStrictEqual(
        outcomes.map(({ outcome, replayName }) => [outcome, replayName]),
        [
          ["started", undefined],
          ["joined", undefined],
          ["joined", "monday"],
        ],
      );
      assert.lengthOf(new Set(outcomes.map(({ executionId }) => executionId)), 1);
      assert.strictEqual(steps, 1);
      // A duplicate may bring the row up to date, never say anything new.
      assert.strictEqual(new Set(world.rows.map(({ commit }) => commit)).size, 1);
    }),
  );

  it.live("does not run a version that is superseded, and says by what", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline, workflow } = workflowOf(Effect.void);
      const asked: Array<string> = [];
      const { handle } = makeHandler({
        ...pipeline,
        supersededBy: ({ versionId }, executionId) =>
          Effect.sync(() => {
            asked.push(executionId);
            return versionId === "v1" ? { order: "02", name: "stage-raw/in/a.csv@v2" } : undefined;
          }),
      });
      const process = yield* world.start(layer, "frozen");
      const [late] = yield* handle(process, toEventText(object("in/a.csv")));
      assert.deepInclude(late, { outcome: "superseded", subject: "stage-raw/in/a.csv@v1" });
      assert.include(late?.reason, "stage-raw/in/a.csv@v2");
      assert.strictEqual(world.appends(), 0);
      const executionId = yield* workflow.executionId({ object: object("in/a.csv") });
      assert.deepStrictEqual(asked, [executionId]);
      const [newest] = yield* handle(process, toEventText(object("in/a.csv", { versionId: "v2" })));
      assert.deepInclude(newest, { outcome: "started", status: "completed" });
    }),
  );

  it.live("writes the receives of a message into its dead letter", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const { handle, sent } = makeHandler(pipeline, {
        delivery: { receiveCount: 3, firstEpochMs: 5 },
      });
      yield* handle(yield* world.start(layer, "frozen"), "what is this?");
      assert.deepInclude(yield* letterOf(sent), { attempts: 3, firstEpochMs: 5 });
    }),
  );

  it.live("reports the end of a failed execution; its message is done with", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.fail(new Broken({ why: "test" })));
      const { handle } = makeHandler(pipeline);
      const process = yield* world.start(layer, "frozen");
      const [handled] = yield* handle(process, toEventText(object("in/a.csv")));
      assert.deepInclude(handled, { outcome: "started", status: "failed" });
      assert.strictEqual(world.rows[0]?.status, "failed");
      const [again] = yield* handle(process, toEventText(object("in/a.csv")));
      assert.deepInclude(again, { outcome: "joined", status: "failed" });
    }),
  );

  it.live("handles each object of a message with several", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const { handle } = makeHandler(pipeline);
      const body = JSON.stringify({
        Records: [record("in/a+b.csv"), record("elsewhere/c.csv"), record("in/d.csv")],
      });
      const handled = yield* handle(yield* world.start(layer, "frozen"), body);
      assert.deepStrictEqual(
        handled.map(({ outcome, subject }) => [outcome, subject]),
        [
          ["started", "stage-raw/in/a b.csv@e"],
          ["ignored", "stage-raw/elsewhere/c.csv@e"],
          ["started", "stage-raw/in/d.csv@e"],
        ],
      );
    }),
  );

  it.live("dead-letters what it cannot read, with the cause and the text", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const { handle, sent } = makeHandler(pipeline);
      const [handled] = yield* handle(yield* world.start(layer, "frozen"), "what is this?");
      assert.deepInclude(handled, { outcome: "dead-lettered", subject: "objects" });
      const letter = yield* letterOf(sent);
      assert.deepInclude(letter, { original: "what is this?", failureClass: "permanent" });
      assert.strictEqual(letter.cause.tag, "MessageUnreadable");
    }),
  );

  it.live("dead-letters another payload under the same key, instead of joining it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const { handle, sent } = makeHandler(pipeline);
      const process = yield* world.start(layer, "frozen");
      yield* handle(process, toEventText(object("in/a.csv")));
      const body = toEventText(object("in/a.csv", { sizeBytes: 4 }));
      const [handled] = yield* handle(process, body);
      assert.strictEqual(handled?.outcome, "dead-lettered");
      const letter = yield* letterOf(sent);
      assert.strictEqual(letter.cause.tag, "IdempotencyKeyConflict");
      assert.strictEqual(letter.original, body);
    }),
  );

  it.live(
    "is done with a message about a leased execution, and has another sent for after the lease",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const begun = yield* Deferred.make<void>();
        const { layer, pipeline } = workflowOf(
          Effect.andThen(Deferred.succeed(begun, undefined), Effect.never),
        );
        const { handle, sent } = makeHandler(pipeline);
        const one = yield* world.start(layer, "frozen");
        const other = yield* world.start(layer, "frozen");
        const body = toEventText(object("in/a.csv"));
        const now = yield* Clock.currentTimeMillis;
        yield* Effect.forkChild(handle(one, body, now + 20_000));
        yield* Deferred.await(begun);
        const [handled] = yield* handle(other, body, now + 60_000);
        assert.deepInclude(handled, { outcome: "leased", status: "running" });
        const [wake] = sent;
        assert.strictEqual(wake?.queue, "objects");
        assert.deepInclude(JSON.parse(wake?.body ?? ""), {
          _tag: "Wake",
          executionId: handled?.executionId,
          mode: "automatic",
        });
        const delayMs = wake?.delayMs ?? 0;
        assert.isTrue(delayMs > 15_000 && delayMs <= 21_000, String(delayMs));
      }),
  );

  it.live("resumes an execution whose process died, once its lease has ended", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const begun = yield* Deferred.make<void>();
      let tries = 0;
      const { layer, pipeline } = workflowOf(
        Effect.suspend(() =>
          ++tries === 1
            ? Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
            : Effect.void,
        ),
      );
      const { handle } = makeHandler(pipeline);
      const one = yield* world.start(layer, "frozen");
      const other = yield* world.start(layer, "frozen");
      const body = toEventText(object("in/a.csv"));
      const now = yield* Clock.currentTimeMillis;
      yield* Effect.forkChild(handle(one, body, now + 200));
      yield* Deferred.await(begun);
      yield* one.kill;
      yield* Effect.sleep("250 millis");
      const [handled] = yield* handle(other, body);
      assert.deepInclude(handled, { outcome: "resumed", status: "completed" });
      assert.deepInclude(world.rows[0], { runs: 2, status: "completed" });
    }),
  );

  it.live("completes a timer that is due, asks again for one that is not", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void, 150);
      const { handle } = makeHandler(pipeline);
      const process = yield* world.start(layer, "frozen");
      const [started] = yield* handle(process, toEventText(object("in/a.csv")));
      assert.deepInclude(started, { outcome: "started", status: "suspended" });
      assert.strictEqual(world.rows[0]?.status, "suspended");
      const executionId = started?.executionId ?? "";
      const due = encodeWorkerMessage({
        _tag: "TimerDue",
        millrace: 1,
        workflow: "Objects",
        executionId,
        clock: "pause",
        wakeAtEpochMs: 0,
      });
      const timers = () => world.wakes.filter(({ kind }) => kind === "timer").length;
      const before = timers();
      assert.deepInclude((yield* handle(process, due))[0], {
        outcome: "unneeded",
        status: "suspended",
      });
      assert.strictEqual(timers(), before + 1);
      yield* Effect.sleep("200 millis");
      assert.deepInclude((yield* handle(process, due))[0], {
        outcome: "advanced",
        status: "completed",
      });
      assert.deepInclude((yield* handle(process, due))[0], { outcome: "unneeded" });
    }),
  );

  it.live("has nothing to do for a wake of an execution that nobody started", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const { handle } = makeHandler(pipeline);
      const wake = {
        _tag: "Wake",
        millrace: 1,
        workflow: "Objects",
        executionId: "0",
        mode: "automatic",
      } as const;
      const [handled] = yield* handle(
        yield* world.start(layer, "frozen"),
        encodeWorkerMessage(wake),
      );
      assert.deepInclude(handled, { outcome: "unneeded", subject: "0" });
      assert.deepStrictEqual(world.rows, []);
    }),
  );

  it.live("keeps a message that it has no code for, or cannot dead-letter: it must come back", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, pipeline } = workflowOf(Effect.void);
      const process = yield* world.start(layer, "frozen");
      const { handle } = makeHandler(pipeline);
      const wake = {
        _tag: "Wake",
        millrace: 1,
        workflow: "Unknown",
        executionId: "0",
        mode: "automatic",
      } as const;
      const noCode = yield* Effect.exit(handle(process, encodeWorkerMessage(wake)));
      assert.isTrue(Exit.isFailure(noCode));
      const down = makeHandler(pipeline, { queueIsDown: true });
      const noQueue = yield* Effect.exit(down.handle(process, "what is this?"));
      assert.isTrue(Exit.isFailure(noQueue));
    }),
  );
});
