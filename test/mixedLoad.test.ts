/**
 * Goal: of small and large files together each comes out right, and none on the wrong path.
 * Method: a little of what `npm run mixed` does with any number: 38 small files and 2 large ones, as 9,500 and 500.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { runMixedLoad } from "./mixedLoad/runMixedLoad.ts";

describe("a mixed load", { timeout: 180_000 }, () => {
  it.live("is all right, each file where its size sends it, and its figures are shown", () =>
    Effect.gen(function* () {
      const report = yield* runMixedLoad({
        small: 38,
        large: 2,
        smallRows: 50,
        largeRows: 40_000,
        thresholdBytes: 500_000,
      });
      assert.deepInclude(report, {
        uploads: 40,
        completed: 40,
        failed: 0,
        successRate: 1,
        errorRate: 0,
        wrongRows: [],
        wrongPath: [],
        late: 0,
      });
      assert.isAtLeast(report.smallMs.p99, report.smallMs.p50);
      assert.isAbove(report.largeMs.p50, 0);
    }),
  );
});
