/**
 * The end of a process's time: a run is given up at a checkpoint, and the next process goes on.
 */
import { assert, describe, it } from "@effect/vitest";
import { ExecutionRunner, ProcessDeadline, ProcessStop } from "@millrace/core";
import { Clock, Effect, Exit, Fiber, Ref, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, Workflow } from "effect/workflow";
import { makeWorld, settle } from "./engineWorld.ts";

const Work = Workflow.make("Work", {
  payload: { id: Schema.String },
  success: Schema.Int,
  idempotencyKey: ({ id }) => id,
});

const layerWork = (secondsOf: ReadonlyArray<number>, ran: Ref.Ref<ReadonlyArray<string>>) =>
  Work.toLayer(() =>
    Effect.forEach(secondsOf, (seconds, index) =>
      Activity.make({
        name: `step ${index}`,
        execute: Ref.update(ran, (all) => [...all, `began ${index}`]).pipe(
          Effect.andThen(Effect.sleep(seconds * 1_000)),
          Effect.andThen(Ref.update(ran, (all) => [...all, `ended ${index}`])),
        ),
      }),
    ).pipe(Effect.as(secondsOf.length)),
  );

/** One invocation of 60 s, or one that is told to stop; the clock moves until its end or the run's. */
const invoke = (
  world: Effect.Success<typeof makeWorld>,
  secondsOf: ReadonlyArray<number>,
  ran: Ref.Ref<ReadonlyArray<string>>,
  stopAfterSeconds?: number,
) =>
  Effect.gen(function* () {
    const process = yield* world.start(layerWork(secondsOf, ran), "frozen");
    const now = yield* Clock.currentTimeMillis;
    const fiber = yield* ExecutionRunner.use((runner) => runner.start(Work, { id: "a" })).pipe(
      process.run,
      stopAfterSeconds === undefined
        ? Effect.provideService(ProcessDeadline, now + 60_000)
        : Effect.provideService(ProcessStop, Effect.sleep(stopAfterSeconds * 1_000)),
      Effect.forkChild,
    );
    for (let second = 0; second < 60 && fiber.pollUnsafe() === undefined; second++) {
      yield* settle;
      yield* TestClock.adjust("1 second");
    }
    yield* settle;
    const advanced = fiber.pollUnsafe();
    yield* Fiber.interrupt(fiber);
    yield* process.kill;
    if (!advanced || Exit.isFailure(advanced)) return assert.fail(`no answer: ${String(advanced)}`);
    return advanced.value;
  });

describe("a run near the end of its process's time", () => {
  it.effect(
    "stores what there is, frees the lease, asks for the next run, and an unfinished activity begins anew",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const ran = yield* Ref.make<ReadonlyArray<string>>([]);
        const first = yield* invoke(world, [40, 30, 1], ran);
        assert.isUndefined(first.state.completed);
        assert.isUndefined(first.state.run);
        assert.deepStrictEqual(world.wakes, [{ kind: "wake", executionId: first.executionId }]);
        assert.deepStrictEqual(yield* Ref.get(ran), ["began 0", "ended 0", "began 1"]);

        const second = yield* invoke(world, [40, 30, 1], ran);
        assert.isDefined(second.state.completed);
        assert.deepStrictEqual((yield* Ref.get(ran)).slice(3), [
          "began 1",
          "ended 1",
          "began 2",
          "ended 2",
        ]);
      }),
    20_000,
  );

  it.effect(
    "an activity that no process has time for fails after three times, instead of being begun for ever",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const ran = yield* Ref.make<ReadonlyArray<string>>([]);
        for (let invocation = 0; invocation < 3; invocation++) {
          const { state } = yield* invoke(world, [600], ran);
          assert.isUndefined(state.completed);
        }
        const { state } = yield* invoke(world, [600], ran);
        assert.include(JSON.stringify(state.completed?.result), "ActivityOutlivesProcess");
        assert.deepStrictEqual(yield* Ref.get(ran), ["began 0", "began 0", "began 0"]);
      }),
    60_000,
  );

  it.effect(
    "an activity whose processes are told to stop is begun anew as often as that happens",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const ran = yield* Ref.make<ReadonlyArray<string>>([]);
        for (let container = 0; container < 5; container++) {
          const { state } = yield* invoke(world, [30], ran, 10);
          assert.isUndefined(state.completed);
          assert.isUndefined(state.run);
        }
        const { state } = yield* invoke(world, [30], ran);
        assert.deepStrictEqual((yield* Ref.get(ran)).slice(5), ["began 0", "ended 0"]);
        assert.isDefined(state.completed);
      }),
    60_000,
  );
});
