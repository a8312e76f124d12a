/**
 * Goal: the answer to a batch names exactly the records whose messages must come back, and is given in time.
 * Method: records with a given duration each, in virtual time.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";
import { handleRecords, RecordTimes } from "../src/handleRecords.ts";

const recordsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ messageId: `m${index}`, body: String(index) }));

/** Handles records that take that long each, with a given time for all; tells which were begun, and when it ended. */
const run = (options: {
  readonly records: number;
  readonly eachMs: number;
  readonly totalMs: number;
  readonly failing?: ReadonlyArray<string>;
  readonly times?: RecordTimes;
}) =>
  Effect.gen(function* () {
    const begun: Array<string> = [];
    let endedMs = 0;
    const fiber = yield* handleRecords(
      recordsOf(options.records),
      options.totalMs,
      options.times ?? new RecordTimes(),
      ({ messageId }) =>
        Effect.sync(() => void begun.push(messageId)).pipe(
          Effect.andThen(Effect.sleep(options.eachMs)),
          Effect.as(options.failing?.includes(messageId) ? ("return" as const) : ("done" as const)),
        ),
    ).pipe(
      Effect.tap(() =>
        Effect.clockWith((clock) => Effect.map(clock.currentTimeMillis, (now) => (endedMs = now))),
      ),
      Effect.forkChild,
    );
    for (let passedMs = 0; passedMs <= options.totalMs + 1_000; passedMs += 100) {
      yield* TestClock.adjust(100);
    }
    const { batchItemFailures } = yield* Fiber.join(fiber);
    return {
      begun,
      endedMs,
      failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    };
  });

describe("a batch", () => {
  it.effect("of which all succeed is answered with no failures", () =>
    Effect.gen(function* () {
      const { begun, failed } = yield* run({ records: 10, eachMs: 100, totalMs: 60_000 });
      assert.lengthOf(begun, 10);
      assert.deepStrictEqual(failed, []);
    }),
  );

  it.effect("of which some fail names those, and no other", () =>
    Effect.gen(function* () {
      const failing = ["m2", "m7"];
      const { failed } = yield* run({ records: 10, eachMs: 100, totalMs: 60_000, failing });
      assert.deepStrictEqual(failed, failing);
    }),
  );

  it.effect(
    "that does not fit into the time is answered before its end, the rest returned unbegun",
    () =>
      Effect.gen(function* () {
        const { begun, endedMs, failed } = yield* run({
          records: 10,
          eachMs: 4_000,
          totalMs: 10_000,
        });
        // Four begin at 0, four at 4 s; at 8 s there is no time for two more.
        assert.lengthOf(begun, 8);
        assert.deepStrictEqual(failed, ["m8", "m9"]);
        assert.isBelow(endedMs, 10_000);
      }),
  );

  it.effect(
    "with a record that never ends gives that one up in time, and keeps the others' success",
    () =>
      Effect.gen(function* () {
        const { endedMs, failed } = yield* run({ records: 1, eachMs: 1e9, totalMs: 10_000 });
        assert.deepStrictEqual(failed, ["m0"]);
        assert.isBelow(endedMs, 10_000);
      }),
  );

  it.effect("after long records begins none that would take longer than is left", () =>
    Effect.gen(function* () {
      const times = new RecordTimes();
      times.add(20_000);
      const { begun, failed } = yield* run({ records: 8, eachMs: 15_000, totalMs: 60_000, times });
      assert.lengthOf(begun, 8);
      assert.deepStrictEqual(failed, []);
      const late = yield* run({ records: 12, eachMs: 16_000, totalMs: 45_000, times });
      assert.isBelow(late.begun.length, 12);
    }),
  );

  it.effect("with hardly any time begins its first record all the same", () =>
    Effect.gen(function* () {
      const { begun } = yield* run({ records: 5, eachMs: 10, totalMs: 300 });
      assert.include(begun, "m0");
    }),
  );
});
