/**
 * Goal: expressions fire when AWS's documentation says. Method: a table of expressions, zones and instants; for cron
 * expressions also a property: every firing shows what the fields ask for, and none is left out between two.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import * as fc from "fast-check";
import { nextFiring, readExpression } from "../src/scheduler/ScheduleExpression.ts";

const span = { fromMs: 0, endMs: undefined };

/** The first firings after an instant, as text. */
const firings = Effect.fnUntraced(function* (
  text: string,
  zone: string,
  after: string,
  count: number,
) {
  const expression = yield* readExpression(text, zone);
  const found: Array<string> = [];
  let afterMs = Date.parse(after);
  while (found.length < count) {
    const next = nextFiring(expression, span, afterMs);
    if (next === undefined) break;
    found.push(`${new Date(next).toISOString().slice(0, 16)}Z`);
    afterMs = next;
  }
  return found;
});

const table: ReadonlyArray<readonly [string, string, string, ReadonlyArray<string>]> = [
  ["at(2026-11-20T10:00:00)", "UTC", "2026-11-20T09:59:59Z", ["2026-11-20T10:00Z"]],
  ["at(2026-11-20T10:00:00)", "UTC", "2026-11-20T10:00:00Z", []],
  ["at(2026-07-01T10:00:00)", "America/New_York", "2026-01-01T00:00:00Z", ["2026-07-01T14:00Z"]],
  // Occurs twice: the first counts.
  ["at(2026-10-25T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", ["2026-10-25T00:30Z"]],
  ["rate(2 hours)", "UTC", "1970-01-01T00:00:00Z", ["1970-01-01T02:00Z", "1970-01-01T04:00Z"]],
  ["rate(1 day)", "UTC", "1970-01-01T12:00:00Z", ["1970-01-02T00:00Z", "1970-01-03T00:00Z"]],
  [
    "cron(0/15 8 * * ? *)",
    "UTC",
    "2026-01-01T08:20:00Z",
    ["2026-01-01T08:30Z", "2026-01-01T08:45Z", "2026-01-02T08:00Z"],
  ],
  [
    "cron(5,35 14 * * ? *)",
    "UTC",
    "2026-01-01T14:05:00Z",
    ["2026-01-01T14:35Z", "2026-01-02T14:05Z"],
  ],
  [
    "cron(0 18 ? * MON-FRI *)",
    "UTC",
    "2026-01-02T18:00:00Z",
    ["2026-01-05T18:00Z", "2026-01-06T18:00Z"],
  ],
  ["cron(0 0 ? * 1 *)", "UTC", "2026-01-01T00:00:00Z", ["2026-01-04T00:00Z"]],
  ["cron(0 8 1 * ? *)", "UTC", "2026-01-31T00:00:00Z", ["2026-02-01T08:00Z", "2026-03-01T08:00Z"]],
  [
    "cron(0 0 29 FEB ? *)",
    "UTC",
    "2026-01-01T00:00:00Z",
    ["2028-02-29T00:00Z", "2032-02-29T00:00Z"],
  ],
  [
    "cron(0 0 31 */2 ? 2026)",
    "UTC",
    "2026-01-01T00:00:00Z",
    ["2026-01-31T00:00Z", "2026-03-31T00:00Z", "2026-05-31T00:00Z", "2026-07-31T00:00Z"],
  ],
  ["cron(0 12 1 1 ? 2025)", "UTC", "2026-01-01T00:00:00Z", []],
  // The clocks go forward from 2 to 3: that day has no 2:30.
  [
    "cron(30 2 * * ? *)",
    "Europe/Berlin",
    "2026-03-27T12:00:00Z",
    ["2026-03-28T01:30Z", "2026-03-30T00:30Z"],
  ],
  // The clocks go back from 3 to 2: 2:30 occurs twice and fires once.
  [
    "cron(30 2 * * ? *)",
    "Europe/Berlin",
    "2026-10-24T12:00:00Z",
    ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
  ],
  ["cron(0 0 * * ? *)", "Pacific/Auckland", "2026-06-01T00:00:00Z", ["2026-06-01T12:00Z"]],
  ["cron(30 5 * * ? *)", "Asia/Kolkata", "2026-06-01T00:00:00Z", ["2026-06-02T00:00Z"]],
];

const field = (from: number, to: number) => fc.integer({ min: from, max: to });

describe("an expression", () => {
  it.effect.each(table)("%s in %s after %s", ([text, zone, after, expected]) =>
    Effect.gen(function* () {
      const found = yield* firings(text, zone, after, Math.max(1, expected.length));
      assert.deepStrictEqual(found, expected);
    }),
  );

  it.effect("begins with its start and ends with its end, except for a one-time one", () =>
    Effect.gen(function* () {
      const rate = yield* readExpression("rate(1 hour)", "UTC");
      const hour = 3_600_000;
      const within = { fromMs: 10 * hour, endMs: 11 * hour };
      assert.strictEqual(nextFiring(rate, within, 0), 10 * hour);
      assert.strictEqual(nextFiring(rate, within, 10 * hour), 11 * hour);
      assert.isUndefined(nextFiring(rate, within, 11 * hour));
      const cron = yield* readExpression("cron(0 * * * ? *)", "UTC");
      assert.strictEqual(nextFiring(cron, within, 0), 10 * hour);
      assert.isUndefined(nextFiring(cron, within, 11 * hour));
      const once = yield* readExpression("at(1970-01-01T00:00:01)", "UTC");
      assert.strictEqual(nextFiring(once, within, 0), 1_000);
    }),
  );

  it("of cron fires at every minute that its fields let through, and at no other", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(field(0, 59), { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(field(0, 23), { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(field(1, 7), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }),
        (minutes, hours, days, afterMs) => {
          const text = `cron(${minutes.join()} ${hours.join()} ? * ${days.join()} *)`;
          const expression = Effect.runSync(readExpression(text, "UTC"));
          const minuteMs = 60_000;
          let expected = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
          for (; ; expected += minuteMs) {
            const at = new Date(expected);
            const isIt =
              minutes.includes(at.getUTCMinutes()) &&
              hours.includes(at.getUTCHours()) &&
              days.includes(at.getUTCDay() + 1);
            if (isIt) break;
          }
          assert.strictEqual(nextFiring(expression, span, afterMs), expected);
        },
      ),
      { numRuns: 100, seed: 20261120 },
    );
  });
});
