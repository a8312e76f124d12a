/**
 * Goal: a collector that is away costs the functions next to nothing.
 * Method: a flush that never ends, time by the test's clock.
 */
import { assert, describe, it } from "@effect/vitest";
import { Clock, Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";
import { TraceFlusher } from "../src/TraceFlusher.ts";
import { makeFlushTraces } from "../src/tracing.ts";

/** How long each flush took. */
const timed = Effect.fnUntraced(function* (flush: Effect.Effect<void>) {
  const before = yield* Clock.currentTimeMillis;
  const fiber = yield* Effect.forkChild(Effect.andThen(flush, Clock.currentTimeMillis));
  yield* TestClock.adjust("10 seconds");
  return (yield* Fiber.join(fiber)) - before;
});

describe("the flush of traces", () => {
  it.effect("waits two seconds for a collector, and not again within the minute", () =>
    Effect.gen(function* () {
      const flushTraces = makeFlushTraces();
      let asked = 0;
      const flusher = TraceFlusher.of({
        flush: Effect.suspend(() => {
          asked++;
          return Effect.never;
        }),
      });
      const flush = (remainingMs: number) =>
        timed(Effect.provideService(flushTraces(remainingMs), TraceFlusher, flusher));
      assert.strictEqual(yield* flush(30_000), 2_000);
      assert.strictEqual(yield* flush(30_000), 0);
      assert.strictEqual(asked, 1);
      yield* TestClock.adjust("1 minute");
      assert.strictEqual(yield* flush(700), 500, "the answer has to get out");
      assert.strictEqual(asked, 2);
    }),
  );

  it.effect("is nothing where nothing is traced", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* timed(makeFlushTraces()(30_000)), 0);
    }),
  );
});
