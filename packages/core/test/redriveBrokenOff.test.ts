/**
 * Goal: a redrive whose process died half-way is completed by others.
 * Method: what it had not done yet is taken away again.
 */
import { assert, describe, it } from "@effect/vitest";
import { reindex, Sweeper } from "@millrace/core";
import { Effect } from "effect";
import { stoppedWorld, succeeded } from "./stoppedWorld.ts";

describe("a redrive that was broken off", () => {
  it.live("before its wake is found by the sweeper", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      world.broken.clear();
      yield* world.redrive;
      world.asked.splice(0);
      yield* Effect.sleep("20 millis");
      const swept = yield* world.operate(Sweeper.sweep({ graceMs: 10 }));
      assert.deepInclude(swept, { looked: 1, nudged: 1 });
      assert.include(yield* world.status, succeeded);
    }),
  );

  it.live("between its row and its fact leaves a row that the sweeper puts right", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      const failed = yield* Effect.fromNullishOr(yield* world.operate(reindex(world.executionId)));
      assert.strictEqual(failed.status, "failed");
      const entered = { ...failed, status: "running", redrives: 1 } as const;
      const sweep = world.operate(Sweeper.sweep({ graceMs: 10 }));
      // Its process may be about to store the fact: a row that says too little then would hide it for good.
      world.indexed.set(world.executionId, { ...entered, updatedEpochMs: Date.now() });
      assert.deepInclude(yield* sweep, { looked: 1, nudged: 0, repaired: 0 });
      world.indexed.set(world.executionId, { ...entered, updatedEpochMs: Date.now() - 3_600_000 });
      assert.deepInclude(yield* sweep, { looked: 1, nudged: 0, repaired: 1 });
      assert.deepInclude(world.indexed.get(world.executionId), { status: "failed" });
    }),
  );

  it.live("before its row is repaired by the next one who asks", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      world.broken.clear();
      yield* world.redrive;
      world.asked.splice(0);
      world.indexed.clear();
      const refusal = yield* Effect.flip(world.redrive);
      assert.deepInclude(refusal, { _tag: "NotFailed", status: "running" });
      assert.deepInclude(world.indexed.get(world.executionId), { status: "running" });
      assert.include(yield* world.status, succeeded);
    }),
  );
});
