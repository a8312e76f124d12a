/**
 * `dev` shows people what the functions print, and not what they print for CloudWatch.
 */
import { assert, describe, it } from "@effect/vitest";
import { embeddedMetrics } from "@millrace/functions/embeddedMetrics";
import { Effect, Metric } from "effect";
import { isMetrics } from "../packages/cli/src/dev.ts";

const line = (text: string) =>
  ({ _tag: "Line", function: "csv-to-parquet", pid: 1, line: text }) as const;

describe("a line of a function", () => {
  it.effect("is one of metrics as the functions print them, or one for people", () =>
    Effect.gen(function* () {
      yield* Metric.update(Metric.counter("Files"), 1);
      const metrics = embeddedMetrics("Millrace", "csv-to-parquet", 0, yield* Metric.snapshot);
      assert.isDefined(metrics);
      assert.isTrue(isMetrics(line(JSON.stringify(metrics))));
      assert.isFalse(isMetrics(line('{"message":"message handled","annotations":{}}')));
      assert.isFalse(isMetrics(line("Error: out of memory")));
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  );
});
