/**
 * The engine over a journal: what is in the history happened, once; everything else may happen again.
 */
import { assert, describe, it } from "@effect/vitest";
import { Durability, ExecutionRunner } from "@millrace/core";
import { Clock, Deferred, Effect, Exit, Fiber, Option, Ref, Schema, Scope } from "effect";
import { TestClock } from "effect/testing";
import { Activity, DurableClock, DurableDeferred, Workflow, WorkflowEngine } from "effect/workflow";
import { makeWorld, settle } from "./engineWorld.ts";

const payload = { id: Schema.String };
const idempotencyKey = ({ id }: { readonly id: string }) => id;

/** A workflow of `count` activities, one after another or side by side; `ran` gets the number of each that ran. */
const steps = (
  count: number,
  concurrency: number | "unbounded",
  ran: Ref.Ref<ReadonlyArray<number>>,
  beforeStep: (step: number) => Effect.Effect<void> = () => Effect.void,
) => {
  const workflow = Workflow.make("Steps", { payload, success: Schema.Int, idempotencyKey });
  const layer = workflow.toLayer(() =>
    Effect.forEach(
      Array.from({ length: count }, (_, index) => index + 1),
      (step) =>
        Activity.make({
          name: `step ${step}`,
          success: Schema.Int,
          execute: beforeStep(step).pipe(
            Effect.andThen(Ref.update(ran, (all) => [...all, step])),
            Effect.as(step),
          ),
        }),
      { concurrency },
    ).pipe(Effect.map((results) => results.reduce((sum, result) => sum + result, 0))),
  );
  return { workflow, layer };
};

describe("an execution", () => {
  it.live("of ten activities in a row takes eleven commits and one load", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const ran = yield* Ref.make<ReadonlyArray<number>>([]);
      const { layer, workflow } = steps(10, 1, ran);
      const process = yield* world.start(layer);
      assert.strictEqual(yield* process.run(workflow.execute({ id: "a" })), 55);
      assert.strictEqual(world.appends(), 11);
      assert.strictEqual(world.loads(), 1);
    }),
  );

  it.live("of 21 activities side by side takes at most three commits", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const ran = yield* Ref.make<ReadonlyArray<number>>([]);
      const { layer, workflow } = steps(21, "unbounded", ran, () => Effect.sleep("6 millis"));
      const process = yield* world.start(layer);
      yield* process.run(workflow.execute({ id: "a" }));
      assert.isAtMost(world.appends(), 3);
    }),
  );

  it.live("of a hundred activities that end at once takes at most three commits, too", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const ran = yield* Ref.make<ReadonlyArray<number>>([]);
      const { layer, workflow } = steps(100, "unbounded", ran);
      const process = yield* world.start(layer);
      yield* process.run(workflow.execute({ id: "a" }));
      assert.lengthOf(yield* Ref.get(ran), 100);
      assert.isAtMost(world.appends(), 3);
    }),
  );

  it.live("with express durability takes one commit", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const express = Workflow.make("Express", { payload, idempotencyKey }).annotate(
        Durability,
        "express",
      );
      const layer = express.toLayer(() =>
        Activity.make({ name: "a", execute: Effect.void }).pipe(
          Effect.andThen(Activity.make({ name: "b", execute: Effect.void })),
        ),
      );
      const process = yield* world.start(layer);
      yield* process.run(express.execute({ id: "a" }));
      assert.strictEqual(world.appends(), 1);
    }),
  );
});

describe("leases and fencing", () => {
  it.effect(
    "a run whose owner died is taken over when its lease has ended, and repeats only the open activity",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const ran = yield* Ref.make<ReadonlyArray<number>>([]);
        const reached = yield* Deferred.make<void>();
        const first = steps(5, 1, ran, (step) =>
          step === 4
            ? Deferred.succeed(reached, undefined).pipe(Effect.andThen(Effect.never))
            : Effect.void,
        );
        const doomed = yield* world.start(first.layer);
        yield* Effect.forkChild(doomed.run(first.workflow.execute({ id: "a" })));
        yield* Deferred.await(reached);
        yield* doomed.kill;
        const second = steps(5, 1, ran);
        const heir = yield* world.start(second.layer);
        const early = yield* heir.run(
          ExecutionRunner.use((runner) => runner.start(second.workflow, { id: "a" })),
        );
        assert.deepInclude(early.advance, { _tag: "NotRun" });
        assert.deepStrictEqual(yield* Ref.get(ran), [1, 2, 3]);

        yield* TestClock.adjust("61 seconds");
        assert.strictEqual(yield* heir.run(second.workflow.execute({ id: "a" })), 15);
        assert.deepStrictEqual(yield* Ref.get(ran), [1, 2, 3, 4, 5]);
      }),
  );

  it.effect(
    "a paused owner that wakes after a takeover stores nothing and starts no further activity",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const ran = yield* Ref.make<ReadonlyArray<number>>([]);
        const reached = yield* Deferred.make<void>();
        const release = yield* Deferred.make<void>();
        const paused = steps(3, 1, ran, (step) =>
          step === 2
            ? Deferred.succeed(reached, undefined).pipe(Effect.andThen(Deferred.await(release)))
            : Effect.void,
        );
        const zombie = yield* world.start(paused.layer);
        yield* Effect.forkChild(zombie.run(paused.workflow.execute({ id: "a" })));
        yield* Deferred.await(reached);
        yield* TestClock.adjust("61 seconds");

        const owner = steps(3, 1, ran);
        const heir = yield* world.start(owner.layer);
        assert.strictEqual(yield* heir.run(owner.workflow.execute({ id: "a" })), 6);
        const executionId = yield* owner.workflow.executionId({ id: "a" });
        const before = yield* world.journal.load(executionId, 0);

        yield* Deferred.succeed(release, undefined);
        yield* TestClock.adjust("10 seconds");
        assert.deepStrictEqual(yield* world.journal.load(executionId, 0), before);
        // Step 2 ran twice (it was open when the lease ended), step 3 once.
        assert.deepStrictEqual(
          (yield* Ref.get(ran)).toSorted((a, b) => a - b),
          [1, 2, 2, 3],
        );
      }),
  );
});

describe("waiting", () => {
  const sleeper = Workflow.make("Sleeper", { payload, success: Schema.Int, idempotencyKey });
  const layer = sleeper.toLayer(() =>
    Effect.gen(function* () {
      const before = yield* Activity.make({
        name: "before",
        success: Schema.Int,
        execute: Clock.currentTimeMillis,
      });
      yield* DurableClock.sleep({ name: "nap", duration: "3 hours" });
      const after = yield* Activity.make({
        name: "after",
        success: Schema.Int,
        execute: Clock.currentTimeMillis,
      });
      return after - before;
    }),
  );

  it.effect("a durable sleep costs nothing while it lasts, and five commits in all", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const process = yield* world.start(layer);
      const id = yield* process.run(sleeper.execute({ id: "a" }, { discard: true }));
      yield* settle;
      yield* TestClock.adjust("1 hour");
      const atRest = world.appends();
      yield* TestClock.adjust("1 hour");
      assert.strictEqual(world.appends(), atRest);
      yield* TestClock.adjust("1 hour");
      const result = yield* process.run(sleeper.poll(id));
      assert.deepStrictEqual(
        result,
        Option.some(new Workflow.Complete({ exit: Exit.succeed(10_800_000) })),
      );
      assert.isAtMost(world.appends(), 5);
    }),
  );

  it.effect("a timer that fires again after its sleep has ended asks for nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const several = Workflow.make("Several", { payload, idempotencyKey });
      const names = ["a", "b", "c"];
      const process = yield* world.start(
        several.toLayer(() =>
          Effect.forEach(
            names,
            (name, index) => DurableClock.sleep({ name, duration: `${index + 1} hours` }),
            { concurrency: "unbounded", discard: true },
          ),
        ),
        "frozen",
      );
      const { executionId } = yield* process.run(
        ExecutionRunner.use((runner) => runner.start(several, { id: "a" })),
      );
      const due = (clock: string) =>
        process.run(
          ExecutionRunner.use((runner) =>
            runner.timerDue({ workflow: "Several", executionId, clock }),
          ),
        );
      yield* TestClock.adjust("1 hour");
      assert.strictEqual((yield* due("a")).advance._tag, "Ended");
      const [asked, stored] = [world.wakes.length, world.appends()];
      for (let copy = 0; copy < 5; copy++) {
        assert.strictEqual((yield* due("a")).advance._tag, "NotRun");
      }
      assert.deepStrictEqual([world.wakes.length, world.appends()], [asked, stored]);
      // A branch that sleeps stops those that have not come to their sleep yet.
      yield* TestClock.adjust("4 hours");
      yield* due("b");
      yield* TestClock.adjust("4 hours");
      const { state } = yield* due("c");
      assert.isDefined(state.completed);
    }),
  );

  it.effect("the process that ran an execution before loads only what came since", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const process = yield* world.start(layer);
      yield* process.run(sleeper.execute({ id: "a" }, { discard: true }));
      yield* settle;
      const [first, ...later] = world.loadedAfter;
      assert.strictEqual(first, 0);
      assert.deepStrictEqual(later, []);
      const known = world.appends();
      yield* TestClock.adjust("3 hours");
      yield* settle;
      assert.deepStrictEqual(world.loadedAfter, [0, known]);

      const other = yield* world.start(layer);
      yield* other.run(sleeper.execute({ id: "a" }));
      assert.strictEqual(world.loadedAfter.at(-1), 0);
    }),
  );

  it.effect(
    "a process that may stop asks for the timer by message, and a due timer brings the execution on",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const process = yield* world.start(layer, "frozen");
        const { executionId } = yield* process.run(
          ExecutionRunner.use((runner) => runner.start(sleeper, { id: "a" })),
        );
        assert.deepStrictEqual(world.wakes, [{ kind: "timer", executionId }]);

        const target = { workflow: "Sleeper", executionId, clock: "nap" };
        yield* TestClock.adjust("15 minutes");
        const early = yield* process.run(ExecutionRunner.use((runner) => runner.timerDue(target)));
        assert.strictEqual(early.advance._tag, "NotRun");
        assert.strictEqual(world.wakes.length, 2);

        yield* TestClock.adjust("165 minutes");
        const due = yield* process.run(ExecutionRunner.use((runner) => runner.timerDue(target)));
        assert.strictEqual(due.advance._tag, "Ended");
        assert.isDefined(due.state.completed);
        assert.strictEqual(world.wakes.length, 2);
      }),
  );

  it.effect("a deferred completed in one process resumes the execution in another", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const approval = DurableDeferred.make("approval", { success: Schema.String });
      const workflow = Workflow.make("Approval", {
        payload,
        success: Schema.String,
        idempotencyKey,
      });
      const layer = workflow.toLayer(() => DurableDeferred.await(approval));
      const owner = yield* world.start(layer, "frozen");
      const { executionId } = yield* owner.run(
        ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" })),
      );
      const other = yield* world.start(layer, "frozen");
      yield* other.run(
        WorkflowEngine.WorkflowEngine.use((engine) =>
          engine.deferredDone(approval, {
            workflowName: "Approval",
            executionId,
            deferredName: "approval",
            exit: Exit.succeed("yes"),
          }),
        ),
      );
      assert.deepStrictEqual(world.wakes, [{ kind: "wake", executionId }]);
      const woken = yield* owner.run(
        ExecutionRunner.use((runner) =>
          runner.wake({ workflow: "Approval", executionId }, "automatic"),
        ),
      );
      assert.isDefined(woken.state.completed);
    }),
  );
});

describe("starting", () => {
  it.live("the same key with another payload is a conflict, the same payload joins", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const workflow = Workflow.make("Keyed", {
        payload: { key: Schema.String, value: Schema.Int },
        idempotencyKey: ({ key }) => key,
      });
      const process = yield* world.start(workflow.toLayer(() => Effect.void));
      const start = (value: number) =>
        process.run(ExecutionRunner.use((runner) => runner.start(workflow, { key: "k", value })));
      assert.strictEqual((yield* start(1)).created, true);
      assert.strictEqual((yield* start(1)).created, false);
      assert.strictEqual((yield* Effect.flip(start(2)))._tag, "IdempotencyKeyConflict");
    }),
  );

  it.live("a workflow that the process has no code for is a typed failure", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const known = Workflow.make("Known", { payload, idempotencyKey });
      const unknown = Workflow.make("Unknown", { payload, idempotencyKey });
      const process = yield* world.start(known.toLayer(() => Effect.void));
      const failure = yield* Effect.flip(
        process.run(ExecutionRunner.use((runner) => runner.start(unknown, { id: "a" }))),
      );
      assert.strictEqual(failure._tag, "WorkflowNotRegistered");
    }),
  );
});

describe("a shutdown", () => {
  it.live("reaches a caller as an interrupt, even when it comes before the run has begun", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const stuck = Workflow.make("Stuck", { payload, idempotencyKey });
      const scope = yield* Scope.make();
      const process = yield* Scope.provide(world.start(stuck.toLayer(() => Effect.never)), scope);
      const caller = yield* Effect.forkChild(process.run(stuck.execute({ id: "a" })), {
        startImmediately: true,
      });
      yield* Scope.close(scope, Exit.void);
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(caller)));
    }),
  );
});

describe("a body's clock", () => {
  it.effect("stands at recorded instants, so that a replay takes the same turns", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const seen: Array<number> = [];
      const workflow = Workflow.make("Clocked", { payload, idempotencyKey });
      const layer = workflow.toLayer(() =>
        Effect.gen(function* () {
          seen.push(yield* Clock.currentTimeMillis);
          yield* Activity.make({ name: "a", execute: Effect.sleep("5 seconds") });
          seen.push(yield* Clock.currentTimeMillis);
          yield* DurableClock.sleep({ name: "nap", duration: "1 hour" });
        }),
      );
      const process = yield* world.start(layer);
      yield* process.run(workflow.execute({ id: "a" }, { discard: true }));
      yield* settle;
      yield* TestClock.adjust("5 seconds");
      yield* TestClock.adjust("2 hours");
      assert.strictEqual(seen.length, 4);
      assert.deepStrictEqual(seen.slice(2), seen.slice(0, 2));
      assert.strictEqual((seen[1] ?? 0) - (seen[0] ?? 0), 5_000);
    }),
  );
});
