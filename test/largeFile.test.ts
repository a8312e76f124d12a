/**
 * Goal: a large file whose task is taken back in the middle of it comes out whole: no part twice, every row counted.
 * Method: a small version of what `npm run large` does with any size: 24 MB, parts of 20,000 rows, two interruptions.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { fileURLToPath } from "node:url";
import { runLargeFile } from "./largeFile/runLargeFile.ts";

describe("a large file through the local Fargate path", { timeout: 180_000 }, () => {
  it.live("resumes at the last part after each SIGTERM, and every row is counted once", () =>
    Effect.gen(function* () {
      const report = yield* runLargeFile({
        bytes: 24_000_000,
        interruptAfterParts: [2, 5],
        local: {
          variables: { MILLRACE_TASK_BYTES_MIN: "1000000" },
          moduleOf: (handler) =>
            handler === "task"
              ? fileURLToPath(new URL("fixtures/unrulyTask.ts", import.meta.url))
              : fileURLToPath(import.meta.resolve(`@millrace/functions/${handler}`)),
        },
      });
      assert.isAbove(report.parts, 8);
      assert.strictEqual(report.rows.found, report.rows.wanted);
      assert.strictEqual(report.rowsInManifest, report.rows.wanted);
      assert.strictEqual(report.duplicates.found, report.duplicates.wanted);
      assert.strictEqual(report.blankRows.found, report.blankRows.wanted);
      assert.deepStrictEqual(report.wrongParts, []);
      assert.deepStrictEqual(report.ends, ["75 SpotInterruption", "75 SpotInterruption", "0"]);
    }),
  );
});
