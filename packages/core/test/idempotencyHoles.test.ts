/**
 * Goal: eight ways in which a widely used idempotency library runs an effect twice, not at all, or for the wrong payload
 * are closed here.
 * Method: each one re-enacted, on every store. Other owners claim at given instants, so nothing waits.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  Idempotency,
  type IdempotencyStore,
  type IdempotencyStoreUnavailable,
  LargeValues,
} from "@millrace/core";
import { SqliteLargeValues } from "@millrace/core/sqlite";
import { Deferred, Effect, Fiber, Layer, Option, Schema } from "effect";
import {
  claimAgo,
  idempotencyStores,
  layerSpoiled,
  losingFirstAnswer,
} from "./idempotencyStores.ts";

/** Work that counts its runs and answers with the count. */
const makeCounting = () => {
  const counts = { runs: 0 };
  return { counts, work: Effect.sync(() => ++counts.runs) };
};

const under = (key: string, payload?: unknown) =>
  Idempotency.once({ key, payload, success: Schema.Int });

/** Another owner takes the key over, as if this one's lease had ended long ago. */
const takeOver = (key: string, leaseMs = 600_000) => claimAgo(key, { agoMs: -120_000, leaseMs });

/** A result of about so many bytes of JSON. */
const largeUnder = (key: string, resultBytesMax?: number) =>
  Idempotency.once({
    key,
    success: Schema.String,
    ...(resultBytesMax !== undefined && { resultBytesMax }),
  });

/** Two payloads under one key are a mismatch; one of them twice is not. */
const differ = (one: unknown, other: unknown): Effect.Effect<void, unknown, IdempotencyStore> =>
  Effect.gen(function* () {
    const { work } = makeCounting();
    yield* under("k", one)(work);
    assert.strictEqual(yield* under("k", one)(work), 1);
    const failure: { readonly _tag: string } | IdempotencyStoreUnavailable = yield* Effect.flip(
      under("k", other)(work),
    );
    assert.strictEqual(failure._tag, "IdempotencyPayloadMismatch");
  });

/** Another owner's claim on "d", so long from now. */
const heir = (agoMs: number) => claimAgo("d", { agoMs, leaseMs: 1 });

describe.each(idempotencyStores)("on %s", (_name, layer) => {
  const claim = (
    name: string,
    body: Effect.Effect<void, unknown, IdempotencyStore>,
    spoil?: Parameters<typeof layerSpoiled>[0],
  ) =>
    it.live(name, () =>
      Effect.provide(body, spoil ? Layer.provide(layerSpoiled(spoil), layer) : layer),
    );

  claim(
    "1. a claim whose answer was lost is the claimant's own: the effect runs, and once",
    Effect.gen(function* () {
      const { counts, work } = makeCounting();
      assert.strictEqual(yield* under("a")(work), 1);
      assert.strictEqual(yield* under("a")(work), 1);
      assert.strictEqual(counts.runs, 1);
    }),
    (store) => ({ claim: losingFirstAnswer(store.claim) }),
  );

  claim(
    "2. an owner that was paused and fails late leaves its successor's claim alone",
    Effect.gen(function* () {
      const failing = Effect.andThen(takeOver("b"), Effect.fail("late"));
      assert.strictEqual(yield* Effect.flip(under("b")(failing)), "late");
      const { counts, work } = makeCounting();
      const third = yield* Effect.flip(under("b", undefined)(work));
      // The successor's record, whose payload is another one, still stands.
      assert.strictEqual(third._tag, "IdempotencyPayloadMismatch");
      assert.strictEqual(counts.runs, 0);
    }),
  );

  claim(
    "3. an owner that was paused and succeeds late neither overwrites its successor's result nor reports its own",
    Effect.gen(function* () {
      const { work } = makeCounting();
      const late = Effect.gen(function* () {
        // The successor works under the same key and payload, and is done first.
        yield* Effect.provide(
          under("c")(Effect.succeed(2)),
          layerSpoiled((store) => ({
            claim: (request) =>
              store.claim({
                ...request,
                nowEpochMs: request.nowEpochMs + 120_000,
                leaseUntilEpochMs: request.leaseUntilEpochMs + 120_000,
              }),
          })),
        );
        return 1;
      });
      const failure = yield* Effect.flip(under("c")(late));
      assert.strictEqual(failure._tag, "IdempotencyLeaseLost");
      assert.strictEqual(yield* under("c")(work), 2);
    }),
  );

  claim(
    "4. a crashed owner blocks its key for a lease, though nobody told it of a deadline",
    Effect.gen(function* () {
      const entered = yield* Deferred.make<void>();
      const crashed = yield* Effect.forkChild(
        under("d")(Effect.andThen(Deferred.succeed(entered, undefined), Effect.never)),
      );
      yield* Deferred.await(entered);
      assert.strictEqual((yield* heir(-50_000))._tag, "InProgress");
      assert.strictEqual((yield* heir(-65_000))._tag, "Claimed");
      yield* Fiber.interrupt(crashed);
    }),
  );

  describe("5. a result that is too large for a record", () => {
    const large = "x".repeat(500_000);
    const makeLarge = () => {
      const counts = { runs: 0 };
      return { counts, work: Effect.sync(() => (counts.runs++, large)) };
    };

    claim(
      "is kept beside it: the effect runs once, and everybody gets the result",
      Effect.gen(function* () {
        const { counts, work } = makeLarge();
        assert.strictEqual(yield* largeUnder("e")(work), large);
        assert.strictEqual(yield* largeUnder("e")(work), large);
        assert.strictEqual(counts.runs, 1);
      }).pipe(Effect.provide(SqliteLargeValues.layerSqlite(":memory:"))),
    );

    claim(
      "does not make the effect run again where it cannot be kept: that it is done is recorded",
      Effect.gen(function* () {
        const { counts, work } = makeLarge();
        assert.strictEqual(yield* largeUnder("f")(work), large);
        const failure = yield* Effect.flip(largeUnder("f")(work));
        assert.strictEqual(failure._tag, "IdempotencyResultUnavailable");
        assert.include(failure.message, "provide LargeValues");
        assert.strictEqual(counts.runs, 1);
      }),
    );

    claim(
      "is refused before the effect where it is announced and could not be kept",
      Effect.gen(function* () {
        const { counts, work } = makeLarge();
        const failure = yield* Effect.flip(largeUnder("g", 500_002)(work));
        assert.strictEqual(failure._tag, "IdempotencyRefused");
        assert.strictEqual(counts.runs, 0);
        assert.isTrue(Option.isNone(yield* Effect.serviceOption(LargeValues)));
      }),
    );
  });

  claim(
    "6. a claim that ran out is free at once, and until then says when",
    Effect.gen(function* () {
      const { work } = makeCounting();
      yield* claimAgo("h", { agoMs: 10_001, leaseMs: 10_000 });
      assert.strictEqual(yield* under("h")(work), 1);
      const same = { payloadHash: hashOfNothing };
      yield* claimAgo("i", { agoMs: 10_000, leaseMs: 100_000, ...same });
      const failure = yield* Effect.flip(under("i")(work));
      if (failure._tag !== "IdempotencyInProgress") return assert.fail(failure._tag);
      assert.isAtMost(failure.retryAfterMs, 90_000);
      assert.isAbove(failure.retryAfterMs, 60_000);
    }),
  );

  claim(
    "7. the order of a payload's members does not matter, not even of A and a",
    Effect.gen(function* () {
      const { counts, work } = makeCounting();
      yield* under("j", { A: 1, a: 2, nested: { b: [1], B: [2] } })(work);
      yield* under("j", { nested: { B: [2], b: [1] }, a: 2, A: 1 })(work);
      assert.strictEqual(counts.runs, 1);
    }),
  );

  describe("8. payloads are told apart", () => {
    claim(
      "that differ only inside an own __proto__ member",
      differ(JSON.parse('{"__proto__":{"x":1}}'), JSON.parse('{"__proto__":{"x":2}}')),
    );

    claim(
      "that differ only beyond what a double holds",
      differ(
        Idempotency.parseJsonExact('{"id":9007199254740992}'),
        Idempotency.parseJsonExact('{"id":9007199254740993}'),
      ),
    );
  });
});

/** What `once` stores when no payload is given: SHA-256 of `null`. */
const hashOfNothing = "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b";
