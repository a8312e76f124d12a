/**
 * Goal: a paused execution is run by nothing, loses nothing, and goes on when it is resumed.
 * Method: the real engine over one journal; wakes that are delivered when the test says so.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  cancel,
  ExecutionRunner,
  Executions,
  pause,
  reindex,
  resume,
  signal,
  Sweeper,
} from "@millrace/core";
import { Effect, Schema } from "effect";
import { Activity, DurableDeferred, Workflow } from "effect/workflow";
import { decideAdvance } from "../src/Decision.ts";
import { evolve, initialState } from "../src/ExecutionState.ts";
import { makeOpsWorld } from "./opsWorld.ts";

const Approval = DurableDeferred.make("approval", { success: Schema.String });

const workflow = Workflow.make("Paused", {
  payload: { id: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ id }) => id,
});

const waiting = Effect.gen(function* () {
  const world = yield* makeOpsWorld;
  const bodies: Array<string> = [];
  const layer = workflow.toLayer(
    Effect.fnUntraced(function* () {
      bodies.push("run");
      yield* Activity.make({ name: "before", execute: Effect.void }).pipe(
        workflow.withCompensation(() => Effect.sync(() => void bodies.push("undone"))),
      );
      return yield* DurableDeferred.await(Approval);
    }),
  );
  const process = yield* world.start(layer, "frozen");
  const begin = process.run(ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" })));
  yield* begin;
  const executionId = yield* workflow.executionId({ id: "a" });
  bodies.splice(0);
  return { ...world, begin, bodies, executionId, deliver: world.deliver(process) };
});

describe("a paused execution", () => {
  it("keeps a timer that is due, and is not run by it", () => {
    const state = initialState();
    const clock = {
      _tag: "ClockScheduled",
      name: "nap",
      deferred: "DurableClock/nap",
      wakeAtEpochMs: 5,
      atEpochMs: 0,
    } as const;
    const started = {
      _tag: "ExecutionStarted",
      workflow: "W",
      idempotencyKey: "a",
      payload: null,
      payloadHash: "",
      atEpochMs: 0,
    } as const;
    const suspended = { _tag: "Suspended", result: null, failed: false, atEpochMs: 1 } as const;
    const paused = { _tag: "Paused", reason: "", atEpochMs: 2 } as const;
    for (const event of [started, clock, suspended, paused]) evolve(state, event);
    const due = { _tag: "TimerDue", clock: "nap" } as const;
    const { facts, run } = decideAdvance(state, due, { owner: "o", nowEpochMs: 9 });
    assert.deepStrictEqual(run, { _tag: "Paused" });
    assert.deepStrictEqual(
      facts.map((fact) => fact._tag === "DeferredDone" && fact.name),
      ["DurableClock/nap"],
    );
    evolve(state, { _tag: "Resumed", atEpochMs: 3 });
    const after = decideAdvance(state, due, { owner: "o", nowEpochMs: 9 });
    assert.deepStrictEqual(after.run, { _tag: "Run" });
  });

  it.live(
    "is not run by its signal, a duplicate or the sweeper, and sees the signal when resumed",
    () =>
      Effect.gen(function* () {
        const { asked, begin, bodies, deliver, executionId, operate } = yield* waiting;
        const paused = yield* operate(pause(executionId, { reason: "look first" }));
        assert.deepInclude(paused, { executionId, status: "suspended", changed: true });
        assert.deepInclude((yield* deliver)?.advance, {
          _tag: "NotRun",
          reason: { _tag: "Paused" },
        });
        yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
        yield* deliver;
        yield* begin;
        yield* operate(reindex(executionId));
        yield* Effect.sleep("20 millis");
        asked.splice(0);
        assert.deepInclude(yield* operate(Sweeper.sweep({ graceMs: 10 })), {
          looked: 1,
          nudged: 0,
        });
        assert.deepStrictEqual(bodies, []);
        const row = yield* operate(Executions.use((executions) => executions.find(executionId)));
        assert.isAbove(row?.pausedSinceEpochMs ?? 0, 0);

        assert.isTrue((yield* operate(resume(executionId))).changed);
        const advanced = yield* deliver;
        assert.include(JSON.stringify(advanced?.state.completed?.result), '"value":"yes"');
      }),
  );

  it.live("whose resumption's wake is lost is found by the sweeper", () =>
    Effect.gen(function* () {
      const { asked, deliver, executionId, operate } = yield* waiting;
      yield* operate(pause(executionId, { reason: "look first" }));
      yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      yield* operate(resume(executionId));
      asked.splice(0);
      yield* operate(reindex(executionId));
      yield* Effect.sleep("20 millis");
      yield* operate(Sweeper.sweep({ graceMs: 10 }));
      assert.isDefined((yield* deliver)?.state.completed);
    }),
  );

  it.live("is paused once and resumed once; an ended one is neither", () =>
    Effect.gen(function* () {
      const { deliver, executionId, operate } = yield* waiting;
      assert.isFalse((yield* operate(resume(executionId))).changed);
      yield* operate(pause(executionId, { reason: "one" }));
      assert.isFalse((yield* operate(pause(executionId, { reason: "two" }))).changed);
      assert.isTrue((yield* operate(resume(executionId))).changed);
      assert.isFalse((yield* operate(resume(executionId))).changed);
      yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      yield* deliver;
      const ended = yield* Effect.flip(operate(pause(executionId, { reason: "late" })));
      assert.strictEqual(ended._tag, "AlreadyEnded");
      const unknown = yield* Effect.flip(operate(resume("nobody")));
      assert.strictEqual(unknown._tag, "ExecutionUnknown");
    }),
  );

  it.live("can be cancelled without being resumed", () =>
    Effect.gen(function* () {
      const { bodies, deliver, executionId, operate } = yield* waiting;
      yield* operate(pause(executionId, { reason: "look first" }));
      yield* operate(cancel(executionId));
      const advanced = yield* deliver;
      assert.isDefined(advanced?.state.completed);
      assert.include(bodies, "undone");
    }),
  );
});
