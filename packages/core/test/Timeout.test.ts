/**
 * Goal: a time limit is a typed failure, and the same one twice is the end of trying.
 * Method: work that never ends, under the test's clock; inside a workflow, the attempts that its history shows.
 */
import { assert, describe, it } from "@effect/vitest";
import { failureClassOf, Retry, Timeout } from "@millrace/core";
import { Effect, Exit, Fiber, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, Workflow } from "effect/workflow";
import { makeWorld } from "./engineWorld.ts";

const runOut = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect);
    yield* TestClock.adjust("1 hour");
    return yield* Fiber.await(fiber);
  });

/** Work that never ends, and counts how often it was begun and interrupted. */
const makeEndless = () => {
  const counts = { begun: 0, interrupted: 0 };
  const endless = Effect.suspend(() => {
    counts.begun++;
    return Effect.never;
  }).pipe(Effect.onInterrupt(() => Effect.sync(() => void counts.interrupted++)));
  return { counts, endless };
};

const resize = { work: "resize", limit: "30 seconds" } as const;

describe("timeout", () => {
  it.effect("interrupts the work at its limit and fails with a failure of class timeout", () =>
    Effect.gen(function* () {
      const { counts, endless } = makeEndless();
      const fiber = yield* Effect.forkChild(
        Effect.flip(endless.pipe(Timeout.timeout({ ...resize, inputBytes: 7 }))),
      );
      yield* TestClock.adjust("29 seconds");
      assert.strictEqual(counts.interrupted, 0);
      yield* TestClock.adjust("1 second");
      const failure = yield* Fiber.join(fiber);
      assert.deepInclude(failure, { _tag: "TimedOut", limitMs: 30_000, inputBytes: 7 });
      assert.strictEqual(failureClassOf(failure), "timeout");
      assert.deepStrictEqual(counts, { begun: 1, interrupted: 1 });
    }),
  );

  it.effect("leaves work that is done in time as it is", () =>
    Effect.gen(function* () {
      const work = Effect.as(Effect.sleep("29 seconds"), 1);
      assert.deepStrictEqual(yield* runOut(Timeout.timeout(resize)(work)), Exit.succeed(1));
    }),
  );
});

describe("escalate", () => {
  it.effect("the same time-out twice is permanent: there is no third attempt", () =>
    Effect.gen(function* () {
      const { counts, endless } = makeEndless();
      const exit = yield* runOut(
        endless.pipe(
          Timeout.timeout({ ...resize, inputBytes: 7 }),
          Timeout.escalate,
          Retry.retry({ attemptsMax: 8 }),
        ),
      );
      const expected = { work: "resize", limitMs: 30_000, inputBytes: 7 };
      assert.deepStrictEqual(exit, Exit.fail(new Timeout.TimedOutTwice(expected)));
      assert.strictEqual(counts.begun, 2);
    }),
  );

  it.effect("time-outs on different amounts of input are not the same one", () =>
    Effect.gen(function* () {
      const { counts, endless } = makeEndless();
      const shrinking = Effect.suspend(() =>
        endless.pipe(Timeout.timeout({ ...resize, inputBytes: 100 - counts.begun })),
      );
      const exit = yield* runOut(shrinking.pipe(Timeout.escalate, Retry.retry({ attemptsMax: 4 })));
      assert.strictEqual(counts.begun, 4);
      assert.deepStrictEqual(
        exit,
        Exit.fail(new Timeout.TimedOut({ work: "resize", limitMs: 30_000, inputBytes: 97 })),
      );
    }),
  );

  it.effect("a time-out between other failures counts", () =>
    Effect.gen(function* () {
      const { counts, endless } = makeEndless();
      let attempt = 0;
      const away = Effect.fail({ failureClass: "transient" as const });
      const slow = endless.pipe(Timeout.timeout(resize));
      const step = Effect.flatMap(
        Effect.sync(() => ++attempt % 2 === 0),
        (isEven): Effect.Effect<never, Timeout.TimedOut | { failureClass: "transient" }> =>
          isEven ? away : slow,
      );
      const exit = yield* runOut(step.pipe(Timeout.escalate, Retry.retry({ attemptsMax: 8 })));
      assert.strictEqual(counts.begun, 2);
      assert.deepStrictEqual(
        exit,
        Exit.fail(new Timeout.TimedOutTwice({ work: "resize", limitMs: 30_000 })),
      );
    }),
  );

  it.live(
    "inside a workflow the second attempt is recorded as the last one, also by a replay",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const begun: Array<number> = [];
        const workflow = Workflow.make("Slow", {
          payload: { id: Schema.String },
          error: Schema.Union([Timeout.TimedOut, Timeout.TimedOutTwice]),
          idempotencyKey: ({ id }) => id,
        });
        const layer = workflow.toLayer(() =>
          Activity.make({
            name: "resize",
            error: Schema.Union([Timeout.TimedOut, Timeout.TimedOutTwice]),
            execute: Effect.flatMap(Activity.CurrentAttempt, (attempt) => {
              begun.push(attempt);
              return Effect.never;
            }).pipe(Timeout.timeout({ work: "resize", limit: 5 }), Timeout.escalate),
          }).pipe(Retry.retryActivity({ attemptsMax: 8, baseMs: 1_100 })),
        );
        // Killed in the pause: the first time-out is known to the second process from the history alone.
        const one = yield* world.start(layer, "frozen");
        const suspended = yield* Effect.forkChild(one.run(workflow.execute({ id: "a" })));
        yield* Effect.repeat(
          Effect.sync(() => world.wakes.length),
          { until: (count) => count > 0 },
        );
        yield* one.kill;
        yield* Fiber.interrupt(suspended);
        const other = yield* world.start(layer);
        const failure = yield* Effect.flip(other.run(workflow.execute({ id: "a" })));
        assert.strictEqual(failure._tag, "TimedOutTwice");
        assert.deepStrictEqual(begun, [1, 2]);
      }),
  );
});
