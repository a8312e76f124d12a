/**
 * `Idempotency.once`: once per key, by whoever holds the claim, and never for ever.
 *
 * What depends on time runs on SQLite under the test's clock; what depends on the store runs on all of them.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  failureClassOf,
  Idempotency,
  IdempotencyStore,
  layerIdempotencyCached,
  Mask,
  Retry,
} from "@millrace/core";
import { SqliteIdempotency } from "@millrace/core/sqlite";
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, Workflow } from "effect/workflow";
import { makeWorld } from "./engineWorld.ts";
import {
  claimAgo,
  idempotencyStores,
  layerSpoiled,
  losingFirstAnswer,
} from "./idempotencyStores.ts";

/** Counts its runs and answers with the count. */
const counting = (runs: Ref.Ref<number>) => Ref.updateAndGet(runs, (count) => count + 1);

const under = (key: string, payload?: unknown) =>
  Idempotency.once({ key, payload, success: Schema.Int });

describe.each(idempotencyStores)("once, on %s", (_name, layer) => {
  const claim = (name: string, body: Effect.Effect<void, unknown, IdempotencyStore>) =>
    it.live(name, () => Effect.provide(body, layer));

  claim(
    "runs the effect once and gives its result to whoever asks again",
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const work = counting(runs).pipe(under("a"));
      assert.deepStrictEqual([yield* work, yield* work], [1, 1]);
      const nothing = Idempotency.once({ key: "void", success: Schema.Void })(
        Effect.asVoid(counting(runs)),
      );
      assert.deepStrictEqual([yield* nothing, yield* nothing], [undefined, undefined]);
      assert.strictEqual(yield* Ref.get(runs), 2);
    }),
  );

  claim(
    "keeps no result that holds a secret: it is known to be done, and nothing else",
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      Mask.learnSecret("vendor", "idempotent-s3cr3t");
      const work = Effect.as(counting(runs), "Bearer idempotent-s3cr3t").pipe(
        Idempotency.once({ key: "secret", success: Schema.String }),
      );
      assert.strictEqual(yield* work, "Bearer idempotent-s3cr3t");
      const error = yield* Effect.flip(work);
      assert.strictEqual(error._tag, "IdempotencyResultUnavailable");
      assert.include(error.message, 'it holds the secret "vendor"');
      assert.notInclude(error.message, "s3cr3t");
      assert.strictEqual(yield* Ref.get(runs), 1);
    }),
  );

  claim(
    "gives the claim up when the effect fails or is interrupted",
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      yield* Effect.flip(under("c")(Effect.andThen(counting(runs), Effect.fail("no"))));
      assert.strictEqual(yield* under("c")(counting(runs)), 2);
      const entered = yield* Deferred.make<void>();
      const fiber = yield* Effect.forkChild(
        under("c2")(Effect.andThen(Deferred.succeed(entered, undefined), Effect.never)),
      );
      yield* Deferred.await(entered);
      yield* Fiber.interrupt(fiber);
      assert.strictEqual(yield* under("c2")(counting(runs)), 3);
    }),
  );

  claim(
    "says when to come again while another owner is at work, and retries by it",
    Effect.gen(function* () {
      const entered = yield* Deferred.make<void>();
      const release = yield* Deferred.make<void>();
      const slow = yield* Effect.forkChild(
        under("d")(
          Deferred.succeed(entered, undefined).pipe(
            Effect.andThen(Deferred.await(release)),
            Effect.as(1),
          ),
        ),
      );
      yield* Deferred.await(entered);
      const failure = yield* Effect.flip(under("d")(Effect.succeed(2)));
      assert.strictEqual(failure._tag, "IdempotencyInProgress");
      assert.strictEqual(failureClassOf(failure), "throttled");
      yield* Deferred.succeed(release, undefined);
      assert.strictEqual(yield* Fiber.join(slow), 1);
      assert.strictEqual(yield* under("d")(Effect.succeed(2)), 1);
    }),
  );

  claim(
    "refuses what cannot be kept before anything is done",
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const refusedFor = (key: string, payload?: unknown) =>
        Effect.flip(under(key, payload)(counting(runs)));
      for (const failure of [
        yield* refusedFor(""),
        yield* refusedFor("k".repeat(2_049)),
        yield* refusedFor("map", new Map([["a", 1]])),
        yield* refusedFor("nan", { amount: Number.NaN }),
      ]) {
        assert.strictEqual(failure._tag, "IdempotencyRefused");
        assert.strictEqual(failureClassOf(failure), "permanent");
      }
      assert.strictEqual(yield* Ref.get(runs), 0);
      assert.strictEqual(yield* under("k".repeat(2_048))(counting(runs)), 1);
    }),
  );

  claim(
    "a recorded result that fits the schema no more is a typed failure, and the effect is not run",
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      yield* under("e")(counting(runs));
      const failure = yield* Effect.flip(
        Effect.as(counting(runs), "x").pipe(Idempotency.once({ key: "e", success: Schema.String })),
      );
      assert.strictEqual(failure._tag, "IdempotencyResultUnavailable");
      assert.strictEqual(yield* Ref.get(runs), 1);
    }),
  );

  claim(
    "a result that does not fit its schema is a defect, and the effect is not run again",
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const exit = yield* Effect.exit(under("f")(Effect.as(counting(runs), 0.5)));
      assert.isTrue(Exit.isFailure(exit));
      const failure = yield* Effect.flip(under("f")(counting(runs)));
      assert.strictEqual(failure._tag, "IdempotencyResultUnavailable");
      assert.strictEqual(yield* Ref.get(runs), 1);
    }),
  );
});

const layerStore = Layer.fresh(SqliteIdempotency.layerSqlite(":memory:"));

/** Whether another owner gets the key "a". */
const isFree = (leaseMs = 60_000) =>
  Effect.map(claimAgo("a", { agoMs: 0, leaseMs }), ({ _tag }) => _tag === "Claimed");

const shortly = (result: number) =>
  Effect.succeed(result).pipe(
    Idempotency.once({ key: "b", success: Schema.Int, remember: "5 seconds" }),
  );

describe("a lease", () => {
  /** Work that has begun and never ends, and the fiber that is at it. */
  const begin = Effect.gen(function* () {
    const entered = yield* Deferred.make<void>();
    const interrupted = yield* Deferred.make<void>();
    const fiber = yield* Effect.forkChild(
      Deferred.succeed(entered, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)),
        Idempotency.once({
          key: "a",
          success: Schema.Int,
          lease: "30 seconds",
          holdAtMost: "10 minutes",
        }),
      ),
    );
    yield* Deferred.await(entered);
    return { fiber, interrupted };
  });
  it.effect("is extended while the effect runs, and ends after the longest hold", () =>
    Effect.gen(function* () {
      const { fiber } = yield* begin;
      yield* TestClock.adjust("9 minutes");
      assert.isFalse(yield* isFree());
      yield* TestClock.adjust("70 seconds");
      assert.isFalse(yield* isFree());
      // The effect hangs still, and its key is free all the same.
      yield* TestClock.adjust("30 seconds");
      assert.isTrue(yield* isFree());
      yield* Fiber.interrupt(fiber);
    }).pipe(Effect.provide(layerStore)),
  );

  it.effect("is not extended by a process that stands still, and the late one is interrupted", () =>
    Effect.gen(function* () {
      const frozen = yield* Ref.make(true);
      const store = yield* IdempotencyStore;
      const whileFrozen = IdempotencyStore.of({
        ...store,
        extend: (...input) =>
          Effect.flatMap(Ref.get(frozen), (is) =>
            is ? Effect.succeed(true) : store.extend(...input),
          ),
      });
      const { fiber, interrupted } = yield* Effect.provideService(
        begin,
        IdempotencyStore,
        whileFrozen,
      );
      yield* TestClock.adjust("29 seconds");
      assert.isFalse(yield* isFree());
      yield* TestClock.adjust("1 second");
      assert.isTrue(yield* isFree());
      // It thaws: its next heartbeat tells it that it has lost the key.
      yield* Ref.set(frozen, false);
      yield* TestClock.adjust("10 seconds");
      const failure = yield* Effect.flip(Fiber.join(fiber));
      assert.strictEqual(failure._tag, "IdempotencyLeaseLost");
      yield* Deferred.await(interrupted);
    }).pipe(Effect.provide(layerStore)),
  );

  it.effect("survives heartbeats that the store does not answer", () =>
    Effect.gen(function* () {
      const { fiber } = yield* begin;
      yield* TestClock.adjust("5 minutes");
      assert.isFalse(yield* isFree());
      yield* Fiber.interrupt(fiber);
    }).pipe(
      Effect.provide(
        Layer.provide(
          layerSpoiled((store) => ({ extend: losingFirstAnswer(store.extend) })),
          layerStore,
        ),
      ),
    ),
  );

  it.effect("an answer to the completion that is lost is asked for again", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(under("a")(Effect.succeed(1)));
      yield* TestClock.adjust("10 seconds");
      assert.strictEqual(yield* Fiber.join(fiber), 1);
      assert.strictEqual(yield* under("a")(Effect.succeed(2)), 1);
    }).pipe(
      Effect.provide(
        Layer.provide(
          layerSpoiled((store) => ({ complete: losingFirstAnswer(store.complete) })),
          layerStore,
        ),
      ),
    ),
  );

  it.effect("not even a spent retry budget keeps a completion from being asked for again", () =>
    Effect.gen(function* () {
      const spent = Retry.withBudget({ retriesMax: 0 });
      const fiber = yield* Effect.forkChild(spent(under("a")(Effect.succeed(1))));
      yield* TestClock.adjust("10 seconds");
      assert.strictEqual(yield* Fiber.join(fiber), 1);
    }).pipe(
      Effect.provide(
        Layer.provide(
          layerSpoiled((store) => ({ complete: losingFirstAnswer(store.complete) })),
          layerStore,
        ),
      ),
    ),
  );

  it.effect("what is done is recorded, although its fiber is interrupted meanwhile", () =>
    Effect.gen(function* () {
      const completing = yield* Deferred.make<void>();
      const gate = yield* Deferred.make<void>();
      const store = yield* IdempotencyStore;
      const slow = IdempotencyStore.of({
        ...store,
        complete: (completion) =>
          Deferred.succeed(completing, undefined).pipe(
            Effect.andThen(Deferred.await(gate)),
            Effect.andThen(store.complete(completion)),
          ),
      });
      const fiber = yield* Effect.forkChild(
        Effect.provideService(under("a")(Effect.succeed(1)), IdempotencyStore, slow),
      );
      yield* Deferred.await(completing);
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber));
      yield* Effect.yieldNow;
      yield* Deferred.succeed(gate, undefined);
      yield* Fiber.join(interrupting);
      assert.strictEqual(yield* under("a")(Effect.succeed(2)), 1);
    }).pipe(Effect.provide(layerStore)),
  );

  it.effect("a result is remembered from its completion, for as long as asked", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* shortly(1), 1);
      yield* TestClock.adjust("4999 millis");
      assert.strictEqual(yield* shortly(2), 1);
      yield* TestClock.adjust("1 millis");
      assert.strictEqual(yield* shortly(3), 3);
    }).pipe(Effect.provide(layerStore)),
  );
});

/** A cached store, and how often what lies behind it was asked for a claim. */
const makeCached = (bounds: Parameters<typeof layerIdempotencyCached>[0]) =>
  Effect.gen(function* () {
    const counts = { claims: 0 };
    const counted = layerSpoiled((store) => ({
      claim: (request) => {
        counts.claims++;
        return store.claim(request);
      },
    }));
    const context = yield* Layer.build(
      layerIdempotencyCached(bounds).pipe(Layer.provide(counted), Layer.provide(layerStore)),
    );
    return { counts, store: Context.get(context, IdempotencyStore) };
  });
const ask = (key: string) => under(key)(Effect.succeed(1));

describe("the cache", () => {
  it.effect("answers for completed results until they expire, and for nothing else", () =>
    Effect.gen(function* () {
      const { counts, store } = yield* makeCached({});
      yield* Effect.gen(function* () {
        yield* claimAgo("busy", { agoMs: 0, leaseMs: 1_000 });
        yield* Effect.flip(ask("busy"));
        yield* Effect.flip(ask("busy"));
        assert.strictEqual(counts.claims, 3);
        for (let count = 0; count < 5; count++) assert.strictEqual(yield* ask("a"), 1);
        assert.strictEqual(counts.claims, 5);
        yield* TestClock.adjust("24 hours");
        assert.strictEqual(yield* ask("a"), 1);
        assert.strictEqual(counts.claims, 6);
      }).pipe(Effect.provideService(IdempotencyStore, store));
    }),
  );

  it.effect("is bounded in entries and in characters: what was used least recently goes", () =>
    Effect.gen(function* () {
      for (const bounds of [{ entriesMax: 2 }, { charactersMax: 70 }]) {
        const { counts, store } = yield* makeCached(bounds);
        yield* Effect.gen(function* () {
          for (const key of ["a", "a", "b", "b", "a", "c", "c"]) yield* ask(key);
          const before = counts.claims;
          yield* ask("a");
          yield* ask("c");
          assert.strictEqual(counts.claims, before);
          yield* ask("b");
          assert.strictEqual(counts.claims, before + 1);
        }).pipe(Effect.provideService(IdempotencyStore, store));
      }
    }),
  );
});

describe("inside a workflow", () => {
  it.live("two executions that share a key do its work once; the second waits durably for it", () =>
    Effect.gen(function* () {
      const store = Context.get(yield* Layer.build(layerStore), IdempotencyStore);
      const world = yield* makeWorld;
      const runs = yield* Ref.make(0);
      const workflow = Workflow.make("Charging", {
        payload: { id: Schema.String },
        success: Schema.Int,
        error: Idempotency.IdempotencyInProgress,
        idempotencyKey: ({ id }) => id,
      });
      const layer = workflow.toLayer(() =>
        Activity.make({
          name: "charge",
          success: Schema.Int,
          error: Idempotency.IdempotencyInProgress,
          execute: counting(runs).pipe(
            Idempotency.once({ key: "invoice-7", success: Schema.Int }),
            Effect.catchIf(
              (error) => error._tag !== "IdempotencyInProgress",
              (error) => Effect.die(error),
            ),
            Effect.provideService(IdempotencyStore, store),
          ),
        }).pipe(Retry.retryActivity()),
      );
      const hash = "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b";
      yield* Effect.provideService(
        claimAgo("invoice-7", { agoMs: 58_000, leaseMs: 60_000, payloadHash: hash }),
        IdempotencyStore,
        store,
      );
      const process = yield* world.start(layer);
      const executions = Effect.forEach(["a", "b"], (id) => process.run(workflow.execute({ id })), {
        concurrency: 2,
      });
      assert.deepStrictEqual(yield* executions, [1, 1]);
      assert.strictEqual(yield* Ref.get(runs), 1);
    }),
  );
});
