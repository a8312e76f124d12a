/**
 * Goal: rate and concurrency limits hold over all who share them, and a dead holder never keeps a slot.
 * Method: many callers over one shared state, in memory under the test's clock and on DynamoDB; answers that are lost.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  Concurrency,
  failureClassOf,
  RateLimit,
  retryAfterMsOf,
  SharedState,
  SharedStateUnavailable,
} from "@millrace/core";
import { DynamoSharedState } from "@millrace/core/aws";
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Result } from "effect";
import { TestClock } from "effect/testing";
import { layerDynaliteSharedState } from "./dynalite.ts";
import { loseAnswers } from "./loseAnswers.ts";

const stores = [
  ["memory", Layer.fresh(SharedState.layerMemory)],
  ["DynamoDB", Layer.fresh(layerDynaliteSharedState)],
] as const;

/** Adds one to a counter that lives until the given instant. */
const count = (key: string, expiresEpochMs = Number.MAX_SAFE_INTEGER) =>
  SharedState.use((shared) =>
    shared.modify(key, (state) => {
      const next = Number(state ?? 0) + 1;
      return { answer: next, next: { state: String(next), expiresEpochMs } };
    }),
  );

describe.each(stores)("shared state in %s", (_name, layer) => {
  const claim = (name: string, body: Effect.Effect<void, unknown, SharedState>) =>
    it.live(name, () => Effect.provide(body, layer), 30_000);

  claim(
    "no change is lost, whoever makes it at the same time",
    Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from({ length: 50 }, () => "a"),
        (key) => count(key),
        { concurrency: "unbounded" },
      );
      assert.deepStrictEqual(
        answers.toSorted((a, b) => a - b),
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      assert.strictEqual(yield* count("b"), 1);
    }),
  );

  claim(
    "an expired state is as if it had never been",
    Effect.gen(function* () {
      assert.strictEqual(yield* count("c", 1), 1);
      assert.strictEqual(yield* count("c", 1), 1);
    }),
  );

  claim(
    "a change that leaves the state alone writes nothing",
    Effect.gen(function* () {
      const shared = yield* SharedState;
      yield* count("d");
      assert.strictEqual(yield* shared.modify("d", (state) => ({ answer: state })), "1");
      assert.strictEqual(yield* count("d"), 2);
    }),
  );
});

describe("shared state in DynamoDB", () => {
  it.live("a change whose answer was lost is made once", () =>
    Effect.gen(function* () {
      yield* count("a");
      const lost = yield* loseAnswers(1, "PutItemCommand");
      assert.strictEqual(yield* count("a"), 2);
      assert.strictEqual(lost.left, 0);
      lost.left = 1;
      assert.strictEqual(yield* count("new"), 1);
      assert.strictEqual(yield* count("new"), 2);
      assert.strictEqual(yield* count("a"), 3);
    }).pipe(Effect.provide(layerDynaliteSharedState)),
  );

  it.live("two processes that contend lose no change", () =>
    Effect.gen(function* () {
      const processes = [
        yield* Layer.build(Layer.fresh(DynamoSharedState.layerDynamo("Limits"))),
        yield* Layer.build(Layer.fresh(DynamoSharedState.layerDynamo("Limits"))),
      ];
      yield* Effect.forEach(
        processes,
        (process) =>
          Effect.forEach(Array.from({ length: 15 }), () =>
            Effect.provideContext(count("a"), process),
          ),
        { concurrency: 2 },
      );
      assert.strictEqual(yield* count("a"), 31);
    }).pipe(Effect.provide(layerDynaliteSharedState)),
  );
});

const vendor = { key: "vendor", limit: 5, window: "1 second" } as const;

/** A limiter as another process has it, over the same shared state. */
const anotherLimiter = Layer.build(Layer.fresh(RateLimit.layerShared));

describe("RateLimit.limit", () => {
  const layer = Layer.provideMerge(
    Layer.fresh(RateLimit.layerShared),
    Layer.fresh(SharedState.layerMemory),
  );

  it.effect("lets so many through in a window, from all processes together", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const limited = RateLimit.limit(vendor)(Ref.update(runs, (count) => count + 1));
      const call = Effect.provideContext(limited, yield* anotherLimiter);
      const there = Effect.provideContext(limited, yield* anotherLimiter);
      const exits = yield* Effect.forEach([call, there, call, there, call, there, call], (one) =>
        Effect.result(one),
      );
      assert.deepStrictEqual(exits.map(Result.isSuccess), [
        true,
        true,
        true,
        true,
        true,
        false,
        false,
      ]);
      assert.strictEqual(yield* Ref.get(runs), 5);
      // One token each 200 ms.
      const failure = yield* Effect.flip(call);
      assert.strictEqual(failure._tag, "RateLimited");
      assert.strictEqual(failureClassOf(failure), "throttled");
      assert.strictEqual(retryAfterMsOf(failure), 200);
      yield* TestClock.adjust("199 millis");
      yield* Effect.flip(there);
      yield* TestClock.adjust("1 millis");
      yield* there;
      yield* Effect.flip(call);
      yield* TestClock.adjust("1 hour");
      for (let count = 0; count < 5; count++) yield* call;
      yield* Effect.flip(call);
    }).pipe(Effect.provide(layer)),
  );

  it.effect("makes those wait that ask to, each for a place of its own", () =>
    Effect.gen(function* () {
      const atEpochMs: Array<number> = [];
      const call = Effect.clockWith((clock) => clock.currentTimeMillis).pipe(
        Effect.map((now) => void atEpochMs.push(now)),
        RateLimit.limit({ ...vendor, limit: 2, onExceeded: "delay" }),
      );
      const fiber = yield* Effect.forkChild(
        Effect.all([call, call, call, call, call], { concurrency: "unbounded" }),
      );
      yield* TestClock.adjust("1 minute");
      yield* Fiber.join(fiber);
      assert.deepStrictEqual(atEpochMs, [0, 0, 500, 1_000, 1_500]);
    }).pipe(Effect.provide(layer)),
  );

  it.effect("counts fixed windows where that is asked for", () =>
    Effect.gen(function* () {
      const call = RateLimit.limit({ ...vendor, limit: 2, algorithm: "fixed-window" })(Effect.void);
      yield* call;
      yield* call;
      assert.strictEqual(retryAfterMsOf(yield* Effect.flip(call)), 1_000);
      yield* TestClock.adjust("999 millis");
      yield* Effect.flip(call);
      yield* TestClock.adjust("1 millis");
      yield* call;
    }).pipe(Effect.provide(layer)),
  );

  it.live("holds on DynamoDB over two processes", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const call = RateLimit.limit({ key: "v", limit: 7, window: "1 hour" })(
        Ref.update(runs, (count) => count + 1),
      );
      const here = Effect.provideContext(call, yield* anotherLimiter);
      const other = yield* Layer.build(Layer.fresh(DynamoSharedState.layerDynamo("Limits")));
      const there = Effect.provideContext(
        call,
        yield* Effect.provideContext(anotherLimiter, other),
      );
      const exits = yield* Effect.forEach(
        Array.from({ length: 10 }).flatMap(() => [here, there]),
        (one) => Effect.result(one),
        { concurrency: 4 },
      );
      assert.lengthOf(exits.filter(Result.isSuccess), 7);
      assert.strictEqual(yield* Ref.get(runs), 7);
    }).pipe(Effect.provide(layerDynaliteSharedState)),
  );

  it.effect(
    "does not run the effect when the store is away, and says so with the store's class",
    () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(RateLimit.limit(vendor)(Effect.die("must not run")));
        assert.strictEqual(failure._tag, "RateLimitUnavailable");
        assert.strictEqual(failureClassOf(failure), "permanent");
      }).pipe(
        Effect.provide(RateLimit.layerShared),
        Effect.provideService(SharedState, {
          modify: (key) =>
            Effect.fail(
              new SharedStateUnavailable({ key, cause: "denied", failureClass: "permanent" }),
            ),
        }),
      ),
  );
});

/** Work in one of the slots that has begun, and the fiber that is at it. */
const beginIn = (options: Concurrency.ConcurrencyOptions) =>
  Effect.gen(function* () {
    const entered = yield* Deferred.make<void>();
    const done = yield* Deferred.make<void>();
    const fiber = yield* Effect.forkChild(
      Deferred.succeed(entered, undefined).pipe(
        Effect.andThen(Deferred.await(done)),
        Concurrency.limit(options),
      ),
    );
    yield* Deferred.await(entered);
    return { fiber, finish: Effect.andThen(Deferred.succeed(done, undefined), Fiber.join(fiber)) };
  });

const two = { key: "gpu", slots: 2, lease: "30 seconds", holdAtMost: "10 minutes" } as const;
const tryTwo = Effect.map(Effect.result(Concurrency.limit(two)(Effect.void)), Result.isSuccess);

describe("Concurrency.limit", () => {
  const layer = Layer.fresh(SharedState.layerMemory);

  it.effect("runs so many at a time, and refuses more with a throttled failure", () =>
    Effect.gen(function* () {
      const one = yield* beginIn(two);
      yield* beginIn(two);
      const failure = yield* Effect.flip(Concurrency.limit(two)(Effect.die("must not run")));
      assert.strictEqual(failure._tag, "ConcurrencyLimited");
      assert.strictEqual(failureClassOf(failure), "throttled");
      assert.isAbove(retryAfterMsOf(failure), 0);
      // A refusal takes nothing from those who hold a slot.
      assert.isFalse(yield* tryTwo);
      yield* one.finish;
      assert.isTrue(yield* tryTwo);
    }).pipe(Effect.provide(layer)),
  );

  it.effect("frees the slot of work that fails or is interrupted", () =>
    Effect.gen(function* () {
      const single = { ...two, slots: 1 };
      yield* Effect.flip(Concurrency.limit(single)(Effect.fail("no")));
      const { fiber } = yield* beginIn(single);
      yield* Fiber.interrupt(fiber);
      yield* Concurrency.limit(single)(Effect.void);
    }).pipe(Effect.provide(layer)),
  );

  it.effect("waits for a slot where that is asked for, and no longer", () =>
    Effect.gen(function* () {
      const single = { ...two, slots: 1 };
      const first = yield* beginIn(single);
      const waiting = { ...single, wait: "20 seconds" } as const;
      const patient = yield* Effect.forkChild(Concurrency.limit(waiting)(Effect.succeed("ran")));
      yield* TestClock.adjust("10 seconds");
      yield* first.finish;
      yield* TestClock.adjust("2 seconds");
      assert.strictEqual(yield* Fiber.join(patient), "ran");
      yield* beginIn(single);
      const impatient = yield* Effect.forkChild(
        Effect.flip(Concurrency.limit(waiting)(Effect.void)),
      );
      yield* TestClock.adjust("21 seconds");
      assert.strictEqual((yield* Fiber.join(impatient))._tag, "ConcurrencyLimited");
    }).pipe(Effect.provide(layer)),
  );

  it.effect("extends the slots of running work, but not for ever", () =>
    Effect.gen(function* () {
      yield* beginIn(two);
      yield* beginIn({ ...two, holdAtMost: "1 minute" });
      yield* TestClock.adjust("59 seconds");
      assert.isFalse(yield* tryTwo);
      // One of them hangs still, and its slot is free all the same; the other one is held on to.
      yield* TestClock.adjust("32 seconds");
      yield* beginIn(two);
      assert.isFalse(yield* tryTwo);
      yield* TestClock.adjust("7 minutes");
      assert.isFalse(yield* tryTwo);
    }).pipe(Effect.provide(layer)),
  );

  it.effect("a process that stood still loses its slot, and its work is interrupted", () =>
    Effect.gen(function* () {
      const shared = yield* SharedState;
      const frozen = yield* Ref.make(false);
      const freezing = SharedState.of({
        modify: (key, change) =>
          Effect.flatMap(Ref.get(frozen), (is) =>
            is
              ? Effect.fail(new SharedStateUnavailable({ key, cause: "frozen" }))
              : shared.modify(key, change),
          ),
      });
      const slow = yield* Effect.provideService(beginIn(two), SharedState, freezing);
      const single = { ...two, slots: 1 };
      yield* Ref.set(frozen, true);
      yield* TestClock.adjust("29 seconds");
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Concurrency.limit(single)(Effect.void))));
      yield* TestClock.adjust("1 second");
      yield* Concurrency.limit(single)(Effect.void);
      yield* Ref.set(frozen, false);
      yield* TestClock.adjust("10 seconds");
      const failure = yield* Effect.flip(Fiber.join(slow.fiber));
      assert.strictEqual(failure._tag, "ConcurrencySlotLost");
    }).pipe(Effect.provide(layer)),
  );

  it.live("holds on DynamoDB, also when answers are lost", () =>
    Effect.gen(function* () {
      const counts = { now: 0, most: 0, runs: 0 };
      const full = yield* Deferred.make<void>();
      const other = yield* Layer.build(Layer.fresh(DynamoSharedState.layerDynamo("Limits")));
      const work = Effect.gen(function* () {
        counts.runs++;
        counts.now++;
        counts.most = Math.max(counts.most, counts.now);
        if (counts.now === 2) yield* Deferred.succeed(full, undefined);
        yield* Deferred.await(full);
        // Time for a third one to come in, if it were let in.
        yield* Effect.sleep(20);
        counts.now--;
      }).pipe(Concurrency.limit({ key: "gpu", slots: 2, wait: "1 minute" }));
      const lost = yield* loseAnswers(1, "PutItemCommand");
      yield* Effect.forEach(
        [work, Effect.provideService(work, SharedState, Context.get(other, SharedState)), work],
        (one) => one,
        { concurrency: "unbounded" },
      );
      assert.strictEqual(lost.left, 0);
      assert.deepStrictEqual(counts, { now: 0, most: 2, runs: 3 });
    }).pipe(Effect.provide(layerDynaliteSharedState)),
  );
});
