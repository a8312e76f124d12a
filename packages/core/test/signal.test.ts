/**
 * Goal: people outside can give an execution what it waits for, and can end it; each once, whatever is lost.
 * Method: the real engine over one journal; wakes that are delivered when the test says so.
 */
import { assert, describe, it } from "@effect/vitest";
import { cancel, ExecutionRunner, reindex, signal, Sweeper } from "@millrace/core";
import { Effect, Exit, Schema } from "effect";
import { Activity, DurableDeferred, Workflow } from "effect/workflow";
import { makeOpsWorld } from "./opsWorld.ts";

const Approval = DurableDeferred.make("approval", { success: Schema.String });

const workflow = Workflow.make("Approved", {
  payload: { id: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ id }) => id,
});

const isApproved = (name: string) => name === workflow._tag;

const waiting = Effect.gen(function* () {
  const world = yield* makeOpsWorld;
  const undone: Array<string> = [];
  const layer = workflow.toLayer(
    Effect.fnUntraced(function* () {
      yield* Activity.make({ name: "before", execute: Effect.void }).pipe(
        workflow.withCompensation(() => Effect.sync(() => void undone.push("before"))),
      );
      return yield* DurableDeferred.await(Approval);
    }),
  );
  const process = yield* world.start(layer, "frozen");
  yield* process.run(ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" })));
  const executionId = yield* workflow.executionId({ id: "a" });
  return { ...world, executionId, undone, deliver: world.deliver(process) };
});

describe("a signal", () => {
  it.live("gives the execution its value, and lets it go on", () =>
    Effect.gen(function* () {
      const { asked, deliver, executionId, operate } = yield* waiting;
      const done = yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      assert.deepStrictEqual(done, { executionId, workflow: "Approved", deferred: "approval" });
      assert.deepStrictEqual(asked, [
        { target: { workflow: "Approved", executionId }, mode: "automatic" },
      ]);
      const advanced = yield* deliver;
      assert.include(JSON.stringify(advanced?.state.completed?.result), '"value":"yes"');
    }),
  );

  it.live("whose wake is lost is found by the sweeper", () =>
    Effect.gen(function* () {
      const { asked, deliver, executionId, operate } = yield* waiting;
      yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      asked.splice(0);
      yield* operate(reindex(executionId));
      yield* Effect.sleep("20 millis");
      yield* operate(Sweeper.sweep({ graceMs: 10 }));
      assert.isDefined((yield* deliver)?.state.completed);
    }),
  );

  it.live("that holds a card number is refused, and nothing of it is stored", () =>
    Effect.gen(function* () {
      const { events, executionId, operate } = yield* waiting;
      const before = (yield* events(executionId)).length;
      for (const value of ["4111 1111 1111 1111", { card: 4_111_111_111_111_111 }]) {
        const error = yield* Effect.flip(
          operate(signal(executionId, { deferred: "approval", value })),
        );
        assert.strictEqual(error._tag, "SignalRefused");
        assert.notInclude(error.message, "1111");
      }
      assert.lengthOf(yield* events(executionId), before);
    }),
  );

  it.live("to an execution of a paused pipeline waits: the sweeper leaves it alone", () =>
    Effect.gen(function* () {
      const { asked, executionId, operate } = yield* waiting;
      yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      asked.splice(0);
      yield* operate(reindex(executionId));
      yield* Effect.sleep("20 millis");
      const swept = yield* operate(Sweeper.sweep({ graceMs: 10, skips: isApproved }));
      assert.deepInclude(swept, { looked: 1, nudged: 0, unreadable: 0 });
      assert.deepStrictEqual(asked, []);
    }),
  );

  it.live("counts once: the second is refused, and changes nothing", () =>
    Effect.gen(function* () {
      const { deliver, executionId, operate } = yield* waiting;
      yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      const refused = yield* Effect.flip(
        operate(signal(executionId, { deferred: "approval", value: "no" })),
      );
      assert.strictEqual(refused._tag, "SignalRefused");
      assert.include(refused.message, "the first completion counts");
      const advanced = yield* deliver;
      assert.include(JSON.stringify(advanced?.state.completed?.result), '"value":"yes"');
    }),
  );

  it.live("sent twice at once counts once", () =>
    Effect.gen(function* () {
      const { events, executionId, operate } = yield* waiting;
      const exits = yield* Effect.forEach(
        ["yes", "no"],
        (value) => Effect.exit(operate(signal(executionId, { deferred: "approval", value }))),
        { concurrency: 2 },
      );
      assert.lengthOf(exits.filter(Exit.isSuccess), 1);
      const facts = (yield* events(executionId)).filter(({ _tag }) => _tag === "DeferredDone");
      assert.lengthOf(facts, 1);
    }),
  );

  it.live("to nobody, to one that has ended, of the engine's own, or too large is refused", () =>
    Effect.gen(function* () {
      const { appends, deliver, executionId, operate } = yield* waiting;
      const refusal = (id: string, deferred: string, value?: unknown) =>
        Effect.map(Effect.flip(operate(signal(id, { deferred, value }))), ({ _tag }) => _tag);
      const before = appends();
      assert.strictEqual(yield* refusal("nobody", "approval"), "ExecutionUnknown");
      assert.strictEqual(yield* refusal(executionId, "DurableClock/nap"), "SignalRefused");
      assert.strictEqual(
        yield* refusal(executionId, "approval", "x".repeat(400_000)),
        "SignalRefused",
      );
      assert.strictEqual(appends(), before);
      yield* operate(signal(executionId, { deferred: "approval", value: "yes" }));
      yield* deliver;
      assert.strictEqual(yield* refusal(executionId, "other"), "SignalRefused");
    }),
  );
});

describe("a cancellation", () => {
  it.live("ends what waits as interrupted, after its compensations", () =>
    Effect.gen(function* () {
      const { deliver, executionId, operate, undone } = yield* waiting;
      const cancelled = yield* operate(cancel(executionId));
      assert.deepInclude(cancelled, { status: "suspended", again: false });
      const advanced = yield* deliver;
      assert.strictEqual(advanced?.advance._tag, "Ended");
      assert.include(JSON.stringify(advanced?.state.completed?.result), "Interrupt");
      assert.deepStrictEqual(undone, ["before"]);
    }),
  );

  it.live("asked for twice asks for a run twice, and is one fact", () =>
    Effect.gen(function* () {
      const { asked, events, executionId, operate } = yield* waiting;
      yield* operate(cancel(executionId));
      assert.deepInclude(yield* operate(cancel(executionId)), { again: true });
      assert.lengthOf(asked, 2);
      const facts = (yield* events(executionId)).filter(
        ({ _tag }) => _tag === "InterruptRequested",
      );
      assert.lengthOf(facts, 1);
    }),
  );

  it.live("of one that has ended, or of nobody, is refused", () =>
    Effect.gen(function* () {
      const { deliver, executionId, operate } = yield* waiting;
      yield* operate(cancel(executionId));
      yield* deliver;
      assert.strictEqual((yield* Effect.flip(operate(cancel(executionId))))._tag, "AlreadyEnded");
      assert.strictEqual((yield* Effect.flip(operate(cancel("nobody"))))._tag, "ExecutionUnknown");
    }),
  );
});
