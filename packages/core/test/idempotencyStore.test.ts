/**
 * The stores of idempotency keys, held to one contract; and DynamoDB's when the SDK repeats a write that was applied.
 */
import { assert, describe, it } from "@effect/vitest";
import { IdempotencyStore } from "@millrace/core";
import { DocumentClient } from "@millrace/core/aws";
import { SqliteIdempotency } from "@millrace/core/sqlite";
import { idempotencyContract } from "@millrace/core/testing";
import { Effect } from "effect";
import { layerDynaliteIdempotency } from "./dynalite.ts";

describe("the DynamoDB store", () => {
  idempotencyContract(layerDynaliteIdempotency);
});

describe("the SQLite store", () => {
  idempotencyContract(SqliteIdempotency.layerSqlite(":memory:"));
});

/** Below the SDK's own retries: the write is applied, its answer does not arrive. */
const loseAnswers = (count: number) =>
  Effect.map(DocumentClient, (client) => {
    const lost = { left: count };
    client.middlewareStack.add(
      (next) => async (given) => {
        const answer = await next(given);
        if (lost.left === 0) return answer;
        lost.left--;
        throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
      },
      { step: "deserialize", priority: "high", name: "loseAnswers" },
    );
    return lost;
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
