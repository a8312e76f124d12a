/**
 * The claims on a store of idempotency keys: every store is held to the same ones.
 *
 * Goal: a store that passes can carry `Idempotency.once`. Method: owners that meet, come late, and lost an answer; the
 * instants are given, so nothing waits.
 */
import { assert, it } from "@effect/vitest";
import { Effect, type Layer } from "effect";
import { IdempotencyStore } from "../IdempotencyStore.ts";

let keys = 0;
/** A fresh key, so that stores may be shared between the claims. */
const nextKey = (): string => `contract-${++keys}`;

const leaseMs = 1_000;

const claimAt = (key: string, owner: string, nowEpochMs: number, payloadHash = "h") =>
  IdempotencyStore.use((store) =>
    store.claim({ key, owner, payloadHash, nowEpochMs, leaseUntilEpochMs: nowEpochMs + leaseMs }),
  );

const complete = (key: string, owner: string, result: string, expiresEpochMs = 60_000) =>
  IdempotencyStore.use((store) => store.complete({ key, owner, result, expiresEpochMs }));

const claimed = { _tag: "Claimed" };

/** Registers the claims; `layer` must give a store that lives as long as the layer. */
export const idempotencyContract = <E>(layer: Layer.Layer<IdempotencyStore, E>): void => {
  const claim = (name: string, body: Effect.Effect<void, unknown, IdempotencyStore>) =>
    it.live(name, () => Effect.provide(body, layer), 30_000);

  claim(
    "of claimants that meet exactly one gets the key",
    Effect.gen(function* () {
      const key = nextKey();
      const claims = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => `owner-${index}`),
        (owner) => claimAt(key, owner, 0),
        { concurrency: "unbounded" },
      );
      assert.lengthOf(
        claims.filter(({ _tag }) => _tag === "Claimed"),
        1,
      );
      const others = claims.filter(({ _tag }) => _tag !== "Claimed");
      for (const other of others) {
        assert.deepStrictEqual(other, {
          _tag: "InProgress",
          payloadHash: "h",
          leaseUntilEpochMs: leaseMs,
        });
      }
    }),
  );

  claim(
    "a claimant that meets its own record has the key",
    Effect.gen(function* () {
      const key = nextKey();
      assert.deepStrictEqual(yield* claimAt(key, "me", 0), claimed);
      assert.deepStrictEqual(yield* claimAt(key, "me", 1), claimed);
      assert.strictEqual((yield* claimAt(key, "other", 1))._tag, "InProgress");
    }),
  );

  claim(
    "a claim ends with its lease, to the millisecond, unless it is extended",
    Effect.gen(function* () {
      const key = nextKey();
      const store = yield* IdempotencyStore;
      yield* claimAt(key, "dead", 0);
      assert.isTrue(yield* store.extend(key, "dead", 1_500));
      assert.deepInclude(yield* claimAt(key, "heir", 1_499), {
        _tag: "InProgress",
        leaseUntilEpochMs: 1_500,
      });
      assert.deepStrictEqual(yield* claimAt(key, "heir", 1_500), claimed);
    }),
  );

  claim(
    "who lost the key can neither extend, complete nor release it",
    Effect.gen(function* () {
      const key = nextKey();
      const store = yield* IdempotencyStore;
      yield* claimAt(key, "zombie", 0);
      yield* claimAt(key, "heir", leaseMs);
      assert.isFalse(yield* store.extend(key, "zombie", 99_000));
      assert.isFalse(yield* complete(key, "zombie", "1"));
      yield* store.release(key, "zombie");
      assert.deepInclude(yield* claimAt(key, "third", leaseMs + 1), {
        _tag: "InProgress",
        leaseUntilEpochMs: 2 * leaseMs,
      });
      assert.isTrue(yield* complete(key, "heir", "2"));
      assert.isFalse(yield* complete(key, "zombie", "1"));
      assert.deepInclude(yield* claimAt(key, "third", leaseMs + 2), { result: "2" });
    }),
  );

  claim(
    "an owner whose answers were lost may repeat everything",
    Effect.gen(function* () {
      const key = nextKey();
      const store = yield* IdempotencyStore;
      yield* claimAt(key, "me", 0);
      assert.isTrue(yield* store.extend(key, "me", 2_000));
      assert.isTrue(yield* store.extend(key, "me", 2_000));
      assert.isTrue(yield* complete(key, "me", "1"));
      assert.isTrue(yield* complete(key, "me", "1"));
      // On its way since before the completion: it must not shorten the remembrance.
      assert.isFalse(yield* store.extend(key, "me", 2_000));
      // Neither does a late release take the result away.
      yield* store.release(key, "me");
      assert.deepStrictEqual(yield* claimAt(key, "other", 59_999), {
        _tag: "Completed",
        payloadHash: "h",
        result: "1",
        expiresEpochMs: 60_000,
      });
    }),
  );

  claim(
    "an expired result counts as none, whether the store has deleted it or not",
    Effect.gen(function* () {
      const key = nextKey();
      yield* claimAt(key, "first", 0, "one");
      yield* complete(key, "first", "1");
      assert.deepStrictEqual(yield* claimAt(key, "second", 60_000, "two"), claimed);
      assert.deepInclude(yield* claimAt(key, "third", 60_001), {
        _tag: "InProgress",
        payloadHash: "two",
      });
    }),
  );

  claim(
    "a released key is free at once",
    Effect.gen(function* () {
      const key = nextKey();
      const store = yield* IdempotencyStore;
      yield* claimAt(key, "first", 0);
      yield* store.release(key, "first");
      assert.deepStrictEqual(yield* claimAt(key, "second", 1), claimed);
      yield* store.release(key, "nobody");
    }),
  );
};
