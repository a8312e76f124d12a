/**
 * Goal: a failure's class decides whether it is tried again, the policy how often and when; inside a workflow every
 * attempt is a fact.
 * Method: failures of each class; the test's clock for pauses in process, a killed process for durable ones.
 */
import { assert, describe, it } from "@effect/vitest";
import { type FailureClass, Retry } from "@millrace/core";
import { Clock, Effect, Exit, Fiber, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, Workflow } from "effect/workflow";
import { makeWorld } from "./engineWorld.ts";

class Failed extends Schema.TaggedError<Failed>()("Failed", {
  failureClass: Schema.Literals(["transient", "throttled", "timeout", "permanent", "defect"]),
  retryAfterMs: Schema.optionalKey(Schema.Finite),
  attempt: Schema.Int,
}) {}

/** Fails `times` times with the class, then succeeds; `atEpochMs` gets the time of each attempt. */
const failing = (
  failureClass: FailureClass,
  times: number,
  atEpochMs: Array<number>,
  retryAfterMs?: number,
) =>
  Effect.gen(function* () {
    const attempt = atEpochMs.push(yield* Clock.currentTimeMillis);
    if (attempt > times) return attempt;
    return yield* new Failed({
      failureClass,
      attempt,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  });

/** Runs an effect to its end, however long it sleeps. */
const runOut = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect);
    yield* TestClock.adjust("1 hour");
    return yield* Fiber.await(fiber);
  });

const pausesOf = (atEpochMs: ReadonlyArray<number>) =>
  atEpochMs.slice(1).map((at, index) => at - (atEpochMs[index] ?? 0));

describe("retry", () => {
  for (const failureClass of ["transient", "throttled", "timeout"] as const) {
    it.effect(`tries a ${failureClass} failure again, three times in all by default`, () =>
      Effect.gen(function* () {
        const passing: Array<number> = [];
        assert.deepStrictEqual(
          yield* runOut(Retry.retry(failing(failureClass, 2, passing))),
          Exit.succeed(3),
        );
        const lasting: Array<number> = [];
        const exit = yield* runOut(Retry.retry(failing(failureClass, 9, lasting)));
        assert.deepStrictEqual(exit, Exit.fail(new Failed({ failureClass, attempt: 3 })));
        assert.lengthOf(lasting, 3);
      }),
    );
  }

  for (const failureClass of ["permanent", "defect"] as const) {
    it.effect(`does not try a ${failureClass} failure again`, () =>
      Effect.gen(function* () {
        const attempts: Array<number> = [];
        yield* runOut(failing(failureClass, 9, attempts).pipe(Retry.retry()));
        assert.lengthOf(attempts, 1);
      }),
    );
  }

  it.effect("does not try an undeclared failure again, nor a defect", () =>
    Effect.gen(function* () {
      let attempts = 0;
      const count = Effect.sync(() => void attempts++);
      yield* runOut(Retry.retry(Effect.andThen(count, Effect.fail("undeclared"))));
      yield* runOut(Retry.retry(Effect.andThen(count, Effect.die("a bug"))));
      assert.strictEqual(attempts, 2);
    }),
  );

  it.effect("waits longer each time, up to the cap, less at most a fifth of jitter", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = [];
      const policy = { attemptsMax: 6, baseMs: 1_000, factor: 2, capMs: 5_000 };
      yield* runOut(Retry.retry(failing("transient", 9, attempts), policy));
      const pauses = pausesOf(attempts);
      const expected = [1_000, 2_000, 4_000, 5_000, 5_000];
      assert.lengthOf(pauses, expected.length);
      for (const [index, pause] of pauses.entries()) {
        assert.strictEqual(Retry.backoffMs(policy, index + 1), expected[index]);
        assert.isAtMost(pause, expected[index] ?? 0);
        assert.isAtLeast(pause, (expected[index] ?? 0) * 0.8 - 1);
      }
    }),
  );

  it.effect("waits as long as a throttled failure asks for", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = [];
      yield* runOut(Retry.retry(failing("throttled", 2, attempts, 90_000)));
      assert.deepStrictEqual(pausesOf(attempts), [90_000, 90_000]);
    }),
  );

  it.effect("takes attempts and pauses from what the policy says of the failure's class", () =>
    Effect.gen(function* () {
      const policy: Partial<Retry.RetryPolicy> = {
        attemptsMax: 2,
        jitter: 0,
        classes: { throttled: { attemptsMax: 4, baseMs: 5_000, jitter: 0 } },
      };
      const throttled: Array<number> = [];
      yield* runOut(Retry.retry(failing("throttled", 9, throttled), policy));
      assert.deepStrictEqual(pausesOf(throttled), [5_000, 10_000, 20_000]);
      const transient: Array<number> = [];
      yield* runOut(Retry.retry(failing("transient", 9, transient), policy));
      assert.deepStrictEqual(pausesOf(transient), [1_000]);
    }),
  );

  it.effect("spreads what was throttled together over the whole pause", () =>
    Effect.gen(function* () {
      const pauses: Array<number> = [];
      for (let caller = 0; caller < 200; caller++) {
        const attempts: Array<number> = [];
        yield* runOut(Retry.retry(failing("throttled", 1, attempts)));
        pauses.push(...pausesOf(attempts));
      }
      assert.lengthOf(pauses, 200);
      const inQuarter = (quarter: number) =>
        pauses.filter((pause) => Math.floor(pause / 250.001) === quarter).length;
      // 50 are expected in each; fewer than 20 by chance once in 10^7 runs.
      for (const quarter of [0, 1, 2, 3]) assert.isAtLeast(inQuarter(quarter), 20);
    }),
  );

  it.effect("hands each attempt the failures before it", () =>
    Effect.gen(function* () {
      const seen: Array<number> = [];
      const step = Effect.gen(function* () {
        const attempt = seen.push((yield* Retry.PreviousFailures).length);
        return yield* new Failed({ failureClass: "transient", attempt });
      });
      yield* runOut(Retry.retry(step));
      assert.deepStrictEqual(seen, [0, 1, 2]);
      // Those of a retry around it first.
      seen.length = 0;
      yield* runOut(step.pipe(Retry.retry({ attemptsMax: 2 }), Retry.retry({ attemptsMax: 2 })));
      assert.deepStrictEqual(seen, [0, 1, 1, 2]);
    }),
  );
});

describe("a retry budget", () => {
  it.effect("is shared by everything inside it; once spent, a failure is handed on at once", () =>
    Effect.gen(function* () {
      const calls = [[], [], []] as ReadonlyArray<Array<number>>;
      const exit = yield* runOut(
        Effect.forEach(
          calls,
          (atEpochMs) => Effect.exit(Retry.retry(failing("transient", 9, atEpochMs))),
          { concurrency: 1 },
        ).pipe(Retry.withBudget({ retriesMax: 3 })),
      );
      assert.isTrue(Exit.isSuccess(exit));
      assert.deepStrictEqual(
        calls.map((attempts) => attempts.length),
        [3, 2, 1],
      );
    }),
  );

  it.effect("is a fresh one for each invocation", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = [];
      const invocation = Retry.retry(failing("transient", 9, attempts)).pipe(
        Retry.withBudget({ retriesMax: 1 }),
      );
      yield* runOut(invocation);
      yield* runOut(invocation);
      assert.lengthOf(attempts, 4);
    }),
  );
});

const fail = (failureClass: FailureClass, attempt: number) =>
  Effect.fail(new Failed({ failureClass, attempt }));

/** A workflow of one retried activity; every attempt asks `step` with its number. */
const workflowOf = (
  step: (attempt: number) => Effect.Effect<number, Failed>,
  policy?: Partial<Retry.RetryPolicy>,
) => {
  const workflow = Workflow.make("Retrying", {
    payload: { id: Schema.String },
    success: Schema.Int,
    error: Failed,
    idempotencyKey: ({ id }) => id,
  });
  const layer = workflow.toLayer(() =>
    Activity.make({
      name: "step",
      success: Schema.Int,
      error: Failed,
      execute: Effect.flatMap(Activity.CurrentAttempt, step),
    }).pipe(Retry.retryActivity(policy)),
  );
  return { layer, workflow };
};

describe("retryActivity", () => {
  it.live("keeps every attempt as a fact", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, workflow } = workflowOf(
        (attempt) => (attempt < 3 ? fail("transient", attempt) : Effect.succeed(attempt)),
        { baseMs: 10 },
      );
      const process = yield* world.start(layer);
      assert.strictEqual(yield* process.run(workflow.execute({ id: "a" })), 3);
      const history = yield* world.journal.load(yield* workflow.executionId({ id: "a" }), 0);
      assert.deepStrictEqual(
        history.flatMap(({ events }) =>
          events.flatMap((event) =>
            event._tag === "ActivityCompleted" && event.name === "step" ? [event.attempt] : [],
          ),
        ),
        [1, 2, 3],
      );
    }),
  );

  it.live("fails with the last failure when all attempts have failed, at once when permanent", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const lasting = workflowOf((attempt) => fail("timeout", attempt), { baseMs: 10 });
      const one = yield* world.start(lasting.layer);
      const last = yield* Effect.flip(one.run(lasting.workflow.execute({ id: "lasting" })));
      assert.deepInclude(last, { failureClass: "timeout", attempt: 3 });
      const permanent = workflowOf((attempt) => fail("permanent", attempt), { baseMs: 10 });
      const other = yield* world.start(permanent.layer);
      const first = yield* Effect.flip(other.run(permanent.workflow.execute({ id: "permanent" })));
      assert.deepInclude(first, { failureClass: "permanent", attempt: 1 });
    }),
  );

  it.live("goes on after a crash in the pause, and does not repeat the attempt that failed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const attempts: Array<number> = [];
      const { layer, workflow } = workflowOf(
        (attempt) => {
          attempts.push(attempt);
          return attempt === 1 ? fail("transient", attempt) : Effect.succeed(attempt);
        },
        // Longer than what is slept in process: the execution is suspended meanwhile.
        { baseMs: 1_100 },
      );
      const one = yield* world.start(layer, "frozen");
      const suspended = yield* Effect.forkChild(one.run(workflow.execute({ id: "a" })));
      yield* Effect.repeat(
        Effect.sync(() => world.wakes.length),
        { until: (count) => count > 0 },
      );
      yield* one.kill;
      yield* Fiber.interrupt(suspended);
      const other = yield* world.start(layer);
      assert.strictEqual(yield* other.run(workflow.execute({ id: "a" })), 2);
      assert.deepStrictEqual(attempts, [1, 2]);
    }),
  );

  it.live(
    "suspends even for a short pause when the budget is spent, and takes the same way in a replay",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const attempts: Array<number> = [];
        const { layer, workflow } = workflowOf(
          (attempt) => {
            attempts.push(attempt);
            return attempt === 1 ? fail("transient", attempt) : Effect.succeed(attempt);
          },
          { baseMs: 20 },
        );
        const one = yield* world.start(layer, "frozen");
        const spent = Retry.withBudget({ retriesMax: 0 });
        const suspended = yield* Effect.forkChild(one.run(spent(workflow.execute({ id: "a" }))));
        yield* Effect.repeat(
          Effect.sync(() => world.wakes.length),
          { until: (count) => count > 0 },
        );
        assert.strictEqual(world.wakes[0]?.kind, "timer");
        assert.deepStrictEqual(attempts, [1]);
        yield* one.kill;
        yield* Fiber.interrupt(suspended);
        // The next process has retries left, and must not sleep in process what is a timer already.
        const other = yield* world.start(layer);
        assert.strictEqual(yield* other.run(workflow.execute({ id: "a" })), 2);
        assert.deepStrictEqual(attempts, [1, 2]);
      }),
  );

  it.live("pauses in process while the budget lasts", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { layer, workflow } = workflowOf(
        (attempt) => (attempt < 3 ? fail("transient", attempt) : Effect.succeed(attempt)),
        { baseMs: 10 },
      );
      const process = yield* world.start(layer, "frozen");
      const budget = Retry.withBudget({ retriesMax: 2 });
      assert.strictEqual(yield* process.run(budget(workflow.execute({ id: "a" }))), 3);
      assert.deepStrictEqual(world.wakes, []);
    }),
  );
});
