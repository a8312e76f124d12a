/**
 * Goal: a command works at its rate, neither faster nor in bursts, and leaves nothing half done.
 * Method: virtual time.
 */
import { assert, describe, it } from "@effect/vitest";
import { Operations } from "@millrace/core";
import { Effect, Fiber, Option } from "effect";
import { TestClock } from "effect/testing";

describe("a rate", () => {
  const cases: ReadonlyArray<readonly [string, number | undefined]> = [
    ["50", 50],
    ["50/s", 50],
    ["600/m", 10],
    ["36/h", 0.01],
    ["0.5/s", 0.5],
    ["0/s", undefined],
    ["-1/s", undefined],
    ["1e9", undefined],
    ["fast", undefined],
    ["5/d", undefined],
    ["", undefined],
  ];
  it("is read in the units of people, and refused when it is none", () => {
    for (const [text, perSecond] of cases) {
      assert.deepStrictEqual(Operations.parseRate(text), Option.fromUndefinedOr(perSecond), text);
    }
  });
});

describe("forEachPaced", () => {
  it.effect("acts as often as its rate says, from the first moment on", () =>
    Effect.gen(function* () {
      let acted = 0;
      const act = () => Effect.sync(() => void acted++);
      const items = Array.from({ length: 40 }, (_, index) => index);
      yield* Effect.forkChild(Operations.forEachPaced(items, 4, act));
      yield* TestClock.adjust(1);
      assert.strictEqual(acted, 1);
      yield* TestClock.adjust("1 second");
      assert.strictEqual(acted, 5);
      yield* TestClock.adjust("9 seconds");
      assert.strictEqual(acted, 40);
    }),
  );

  it.effect("does not make up for turns that nobody took", () =>
    Effect.gen(function* () {
      const turn = yield* Operations.makePace(2);
      yield* turn;
      yield* TestClock.adjust("1 minute");
      let taken = 0;
      yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            turn,
            Effect.sync(() => void taken++),
          ),
        ),
      );
      yield* TestClock.adjust(1);
      assert.strictEqual(taken, 1);
      yield* TestClock.adjust("2 seconds");
      assert.strictEqual(taken, 5);
    }),
  );

  it.effect("finishes what it began when it is stopped, and begins nothing more", () =>
    Effect.gen(function* () {
      let begun = 0;
      let finished = 0;
      const act = () =>
        Effect.gen(function* () {
          begun++;
          yield* Effect.sleep("10 seconds");
          finished++;
        });
      const running = yield* Effect.forkChild(Operations.forEachPaced([1, 2, 3, 4, 5, 6], 1, act));
      yield* TestClock.adjust("2500 millis");
      assert.deepStrictEqual({ begun, finished }, { begun: 3, finished: 0 });
      const stopping = yield* Effect.forkChild(Fiber.interrupt(running));
      yield* TestClock.adjust("1 minute");
      yield* Fiber.join(stopping);
      assert.deepStrictEqual({ begun, finished }, { begun: 3, finished: 3 });
    }),
  );
});
