/**
 * `Idempotency.once` on DynamoDB: once per key, by whoever holds the claim, and never for ever.
 */
import { assert, layer } from "@effect/vitest";
import { Idempotency, IdempotencyStore } from "@millrace/core";
import { Deferred, Effect, Fiber, Ref, Schema } from "effect";
import { layerDynaliteIdempotency } from "./dynalite.ts";

/** Counts its runs and answers with the count. */
const counting = (runs: Ref.Ref<number>) => Ref.updateAndGet(runs, (count) => count + 1);

/** Work that answers 1, under a key and with a payload. */
const oneUnder = (key: string, payload: unknown) =>
  Effect.succeed(1).pipe(Idempotency.once({ key, payload, success: Schema.Int }));

const claimAt = (key: string, owner: string, nowEpochMs: number, leaseMs = 1_000) =>
  IdempotencyStore.use((store) =>
    store.claim({
      key,
      owner,
      payloadHash: "h",
      nowEpochMs,
      leaseUntilEpochMs: nowEpochMs + leaseMs,
      expiresEpochMs: nowEpochMs + 60_000,
    }),
  );

layer(layerDynaliteIdempotency, { excludeTestServices: true })("Idempotency.once", (it) => {
  it.effect("runs the effect once and gives its result to whoever asks again", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const work = counting(runs).pipe(Idempotency.once({ key: "a", success: Schema.Int }));
      assert.deepStrictEqual([yield* work, yield* work], [1, 1]);
    }),
  );

  it.effect("refuses the same key with another payload, and takes the same in another order", () =>
    Effect.gen(function* () {
      yield* oneUnder("b", { A: 1, a: 2 });
      assert.strictEqual(yield* oneUnder("b", { a: 2, A: 1 }), 1);
      const failure = yield* Effect.flip(oneUnder("b", { A: 1, a: 3 }));
      assert.strictEqual(failure._tag, "IdempotencyPayloadMismatch");
    }),
  );

  it.effect("tells payloads apart that differ only inside a __proto__ member", () =>
    Effect.gen(function* () {
      yield* oneUnder("p", JSON.parse('{"__proto__":{"x":1}}'));
      const failure = yield* Effect.flip(oneUnder("p", JSON.parse('{"__proto__":{"x":2}}')));
      assert.strictEqual(failure._tag, "IdempotencyPayloadMismatch");
    }),
  );

  it.effect("gives the claim up when the effect fails", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0);
      const once = Idempotency.once({ key: "c", success: Schema.Int });
      yield* Effect.flip(once(Effect.andThen(counting(runs), Effect.fail("no"))));
      assert.strictEqual(yield* once(counting(runs)), 2);
    }),
  );

  it.effect("says when to come again while another owner is at work", () =>
    Effect.gen(function* () {
      const entered = yield* Deferred.make<void>();
      const release = yield* Deferred.make<void>();
      const once = Idempotency.once({ key: "d", success: Schema.Int });
      const slow = yield* Effect.forkChild(
        once(
          Deferred.succeed(entered, undefined).pipe(
            Effect.andThen(Deferred.await(release)),
            Effect.as(1),
          ),
        ),
      );
      yield* Deferred.await(entered);
      const failure = yield* Effect.flip(once(Effect.succeed(2)));
      assert.strictEqual(failure._tag, "IdempotencyInProgress");
      yield* Deferred.succeed(release, undefined);
      assert.strictEqual(yield* Fiber.join(slow), 1);
    }),
  );

  it.effect("a claim that meets its own record is claimed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* claimAt("e", "me", 0), { _tag: "Claimed" });
      assert.deepStrictEqual(yield* claimAt("e", "me", 1), { _tag: "Claimed" });
    }),
  );

  it.effect(
    "a crashed owner's claim ends with its lease, and its late completion and release do nothing",
    () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore;
        yield* claimAt("f", "zombie", 0);
        assert.strictEqual((yield* claimAt("f", "heir", 999))._tag, "InProgress");
        assert.strictEqual((yield* claimAt("f", "heir", 1_001))._tag, "Claimed");
        assert.strictEqual(yield* store.complete("f", "zombie", "1"), false);
        yield* store.release("f", "zombie");
        assert.strictEqual((yield* claimAt("f", "third", 1_500))._tag, "InProgress");
        assert.strictEqual(yield* store.complete("f", "heir", "2"), true);
      }),
  );

  it.effect("an expired result counts as none, whether the store has deleted it or not", () =>
    Effect.gen(function* () {
      const store = yield* IdempotencyStore;
      yield* claimAt("g", "first", 0);
      yield* store.complete("g", "first", "1");
      assert.strictEqual((yield* claimAt("g", "second", 59_999))._tag, "Completed");
      assert.strictEqual((yield* claimAt("g", "second", 60_001))._tag, "Claimed");
    }),
  );
});
