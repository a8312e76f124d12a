/**
 * Goal: a failed execution goes on from its failed step, with everything that had succeeded kept, and nothing else.
 * Method: the real engine over one journal; steps that fail until they are repaired; wakes that are delivered by hand.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  DeadLetter,
  ExecutionRunner,
  ExecutionUnknown,
  Journal,
  MessageQueue,
  NotFailed,
  redrive,
  Retry,
} from "@millrace/core";
import { Cause, Context, Effect, Exit, Layer } from "effect";
import { DurableClock, DurableDeferred, Workflow } from "effect/workflow";
import { StepFailed, storyOf } from "./opsWorld.ts";
import { because, makeFailing, stoppedWorld, succeeded } from "./stoppedWorld.ts";

/** Three attempts, a millisecond apart. */
const quickly = Retry.retryActivity({ attemptsMax: 3, baseMs: 1 });

describe("a redrive", () => {
  it.live("runs the failed step and what comes after it, and keeps the history", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) => Effect.andThen(step("one"), Effect.andThen(step("two"), step("three"))),
        ["two"],
      );
      world.broken.clear();
      const redriven = yield* world.redrive;
      assert.deepStrictEqual(redriven.forgotten, {
        activities: [{ name: "two", attempt: 1 }],
        clocks: [],
        deferreds: [],
      });
      assert.deepInclude(world.indexed.get(world.executionId), { status: "running", redrives: 1 });
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["two", "three"]);
      const events = yield* world.events;
      assert.deepStrictEqual(events.slice(0, world.history.length), world.history);
      assert.deepStrictEqual(storyOf(events.slice(world.history.length)), [
        "Redriven",
        "RunStarted",
        "two",
        "three",
        "Completed",
      ]);
    }),
  );

  it.live("is taken up by the process that had run the execution to its failure, too", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) => Effect.andThen(step("one"), step("two")),
        ["two"],
        makeFailing(),
        "resident",
      );
      world.broken.clear();
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["two"]);
      // Asked for again, it has its result.
      yield* world.process.run(world.workflow.execute({ id: "a" }));
      assert.deepStrictEqual(world.takeRan(), []);
    }),
  );

  it.live("counts the attempts anew, and can be repeated", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) => Effect.andThen(step("one"), step("two").pipe(quickly)),
        ["two"],
      );
      assert.strictEqual(world.history.filter(({ _tag }) => _tag === "Completed").length, 1);
      const { forgotten } = yield* world.redrive;
      assert.deepStrictEqual(
        forgotten.activities.map(({ attempt, name }) => `${name} ${attempt}`),
        [
          "two 1",
          "DurableClock/two before attempt 2 1",
          "two 2",
          "DurableClock/two before attempt 3 1",
          "two 3",
        ],
      );
      assert.notInclude(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["two", "two", "two"]);
      world.broken.clear();
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["two"]);
    }),
  );

  it.live("tells again of an execution that fails again", () =>
    Effect.gen(function* () {
      const letters: Array<string> = [];
      const queue = Layer.succeed(MessageQueue, {
        send: (_queue, body) => Effect.sync(() => void letters.push(body)),
      });
      const address = { pipeline: "p", queue: "q", subject: "s", original: "{}" };
      const world = yield* stoppedWorld(
        ({ step }) => step("one").pipe(DeadLetter.routeActivity(address), Effect.provide(queue)),
        ["one"],
      );
      assert.lengthOf(letters, 1);
      yield* world.redrive;
      assert.notInclude(yield* world.status, succeeded);
      assert.lengthOf(letters, 2);
      world.broken.clear();
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.lengthOf(letters, 2);
    }),
  );

  it.live("forgets both of two steps that failed side by side", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) =>
          Effect.gen(function* () {
            const exits = yield* Effect.all(
              [Effect.exit(step("left")), Effect.exit(step("right"))],
              {
                concurrency: "unbounded",
              },
            );
            for (const exit of exits) yield* exit;
          }),
        ["left", "right"],
      );
      world.broken.clear();
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.sameMembers(world.takeRan(), ["left", "right"]);
    }),
  );

  it.live("leaves a failure alone that the body had caught, and its fallback", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) =>
          step("first choice").pipe(
            Effect.catch(() => step("second choice")),
            Effect.andThen(step("last")),
          ),
        ["first choice", "last"],
      );
      world.broken.clear();
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["last"]);
    }),
  );

  it.live("forgets what the body did because of the failure, a sleep included", () =>
    Effect.gen(function* () {
      const coolDown = { name: "cool down", duration: "1 milli", inMemoryThreshold: 0 } as const;
      const world = yield* stoppedWorld(
        ({ step }) =>
          step("work").pipe(
            Effect.tapError(() => Effect.andThen(step("notify"), DurableClock.sleep(coolDown))),
          ),
        ["work"],
      );
      const finishSleep = world.process.run(
        ExecutionRunner.use((runner) =>
          runner.timerDue({
            workflow: "Failing",
            executionId: world.executionId,
            clock: "cool down",
          }),
        ),
      );
      yield* Effect.andThen(Effect.sleep("5 millis"), finishSleep);
      const { forgotten } = yield* world.redrive;
      assert.deepStrictEqual(forgotten, {
        activities: [
          { name: "work", attempt: 1 },
          { name: "notify", attempt: 1 },
        ],
        clocks: ["cool down"],
        deferreds: ["DurableClock/cool down"],
      });
      yield* world.deliver;
      assert.deepStrictEqual(world.takeRan(), ["work", "notify"]);
      world.broken.clear();
      yield* Effect.andThen(Effect.sleep("5 millis"), finishSleep);
      // It failed again; repaired, it neither notifies nor sleeps.
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["work"]);
    }),
  );

  it.live("runs a body again that failed by itself, without any of its steps", () =>
    Effect.gen(function* () {
      let buggy = true;
      const world = yield* stoppedWorld(
        ({ step }) =>
          Effect.andThen(
            step("one"),
            Effect.suspend(() => (buggy ? Effect.die(new TypeError("a bug")) : step("two"))),
          ),
        [],
      );
      buggy = false;
      const { forgotten } = yield* world.redrive;
      assert.deepStrictEqual(forgotten, { activities: [], clocks: [], deferreds: [] });
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["two"]);
    }),
  );

  it.live("goes on with what a failure had parked", () =>
    Effect.gen(function* () {
      const parking = makeFailing(Context.make(Workflow.SuspendOnFailure, true));
      const world = yield* stoppedWorld(
        ({ step }) => Effect.andThen(step("one"), step("two")),
        ["two"],
        parking,
      );
      assert.deepInclude(world.history.at(-1), { _tag: "Suspended", failed: true });
      world.broken.clear();
      yield* world.redrive;
      assert.include(yield* world.status, succeeded);
      assert.deepStrictEqual(world.takeRan(), ["two"]);
    }),
  );

  it.live("keeps what was completed from outside, and waits again for what failed there", () =>
    Effect.gen(function* () {
      const good = DurableDeferred.make("good");
      const bad = DurableDeferred.make("bad", { error: StepFailed });
      const world = yield* stoppedWorld(
        ({ step }) =>
          step("one").pipe(
            Effect.andThen(DurableDeferred.await(good)),
            Effect.andThen(DurableDeferred.await(bad)),
          ),
        [],
      );
      const complete = (deferred: typeof bad, exit: Exit.Exit<void, StepFailed>) =>
        world.process.run(
          DurableDeferred.done(deferred, {
            token: DurableDeferred.tokenFromExecutionId(deferred, {
              workflow: world.workflow,
              executionId: world.executionId,
            }),
            exit,
          }),
        );
      const wake = world.process.run(
        ExecutionRunner.use((runner) =>
          runner.wake({ workflow: "Failing", executionId: world.executionId }, "automatic"),
        ),
      );
      yield* world.process.run(
        DurableDeferred.done(good, {
          token: DurableDeferred.tokenFromExecutionId(good, {
            workflow: world.workflow,
            executionId: world.executionId,
          }),
          exit: Exit.void,
        }),
      );
      yield* wake;
      yield* complete(bad, Exit.fail(new StepFailed({ step: "outside" })));
      yield* wake;
      const { forgotten } = yield* world.redrive;
      assert.deepStrictEqual(forgotten, { activities: [], clocks: [], deferreds: ["bad"] });
      assert.strictEqual(yield* world.status, "open");
      yield* complete(bad, Exit.void);
      assert.deepInclude((yield* wake).state, { suspended: undefined });
      assert.strictEqual(storyOf(yield* world.events).at(-1), "Completed");
      assert.deepStrictEqual(world.takeRan(), []);
    }),
  );

  it.live("goes on with an execution that was interrupted", () =>
    Effect.gen(function* () {
      const signal = DurableDeferred.make("signal");
      const world = yield* stoppedWorld(
        ({ step }) => Effect.andThen(step("one"), DurableDeferred.await(signal)),
        [],
      );
      yield* world.process.run(world.workflow.interrupt(world.executionId));
      yield* world.process.run(
        ExecutionRunner.use((runner) =>
          runner.wake({ workflow: "Failing", executionId: world.executionId }, "explicit"),
        ),
      );
      assert.strictEqual(storyOf(yield* world.events).at(-1), "Completed");
      yield* world.redrive;
      assert.strictEqual(yield* world.status, "open");
      assert.deepStrictEqual(world.takeRan(), []);
    }),
  );

  it.live("asked for twice at once counts once", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      const both = yield* Effect.all([Effect.exit(world.redrive), Effect.exit(world.redrive)], {
        concurrency: "unbounded",
      });
      assert.lengthOf(both.filter(Exit.isSuccess), 1);
      const refused = both.find(Exit.isFailure);
      assert.deepStrictEqual(
        refused && Cause.squash(refused.cause),
        new NotFailed({ executionId: world.executionId, status: "running" }),
      );
      const redriven = (yield* world.events).filter(({ _tag }) => _tag === "Redriven");
      assert.lengthOf(redriven, 1);
    }),
  );

  it.live("that another one overtakes between its decision and its append decides again", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      let isOvertaken = false;
      const overtaken = Journal.of({
        load: world.journal.load,
        append: (commit) =>
          Effect.andThen(
            Effect.suspend(() => (isOvertaken ? Effect.void : Effect.orDie(world.redrive))),
            Effect.suspend(() => {
              isOvertaken = true;
              return world.journal.append(commit);
            }),
          ),
      });
      const refusal = yield* redrive(world.executionId, because).pipe(
        Effect.provideService(Journal, overtaken),
        Effect.flip,
        world.operate,
      );
      assert.deepInclude(refusal, { _tag: "NotFailed", status: "running" });
      const redriven = (yield* world.events).filter(({ _tag }) => _tag === "Redriven");
      assert.lengthOf(redriven, 1);
    }),
  );

  it.live("is refused for what has not failed, and for what is not there", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), []);
      const { executionId } = world;
      assert.deepStrictEqual(
        yield* Effect.flip(world.redrive),
        new NotFailed({ executionId, status: "completed" }),
      );
      assert.deepStrictEqual(
        yield* Effect.flip(world.operate(redrive("00", because))),
        new ExecutionUnknown({ executionId: "00" }),
      );
    }),
  );

  it.live("is refused once compensations have run, and says what to do instead", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) =>
          step("reserve").pipe(
            Workflow.withCompensation(() => Effect.orDie(step("release"))),
            Effect.andThen(step("pay")),
          ),
        ["pay"],
      );
      const refusal = yield* Effect.flip(world.redrive);
      assert.deepInclude(refusal, { _tag: "ExecutionCompensated", compensations: ["release"] });
      assert.match(refusal.message, /fork it from the start instead/);
      assert.deepStrictEqual(yield* world.events, world.history);
    }),
  );
});
