/**
 * The stores of idempotency keys, held to one contract; and DynamoDB's when the SDK repeats a write that was applied.
 */
import { assert, describe, it } from "@effect/vitest";
import { IdempotencyStore } from "@millrace/core";
import { SqliteIdempotency } from "@millrace/core/sqlite";
import { idempotencyContract } from "@millrace/core/testing";
import { Effect } from "effect";
import { layerDynaliteIdempotency } from "./dynalite.ts";
import { loseAnswers } from "./loseAnswers.ts";

describe("the DynamoDB store", () => {
  idempotencyContract(layerDynaliteIdempotency);
});

describe("the SQLite store", () => {
  idempotencyContract(SqliteIdempotency.layerSqlite(":memory:"));
});

describe("the SDK's own repetition of a write whose answer was lost", () => {
  const body = Effect.gen(function* () {
    const store = yield* IdempotencyStore;
    const request = { key: "k", owner: "me", payloadHash: "h", nowEpochMs: 0 };
    const lostClaim = yield* loseAnswers(1);
    assert.deepStrictEqual(yield* store.claim({ ...request, leaseUntilEpochMs: 1_000 }), {
      _tag: "Claimed",
    });
    assert.strictEqual(lostClaim.left, 0);
    lostClaim.left = 1;
    assert.isTrue(yield* store.extend("k", "me", 2_000));
    lostClaim.left = 1;
    assert.isTrue(
      yield* store.complete({ key: "k", owner: "me", result: "1", expiresEpochMs: 9_000 }),
    );
    assert.strictEqual(lostClaim.left, 0);
  });
  it.live("meets its own record, and has succeeded", () =>
    Effect.provide(body, layerDynaliteIdempotency),
  );
});
