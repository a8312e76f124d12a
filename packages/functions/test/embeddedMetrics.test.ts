/**
 * Effect's metrics as CloudWatch's embedded format.
 */
import { assert, describe, it } from "@effect/vitest";
import { embeddedMetrics } from "@millrace/functions/embeddedMetrics";
import { printMetrics } from "@millrace/functions/printMetrics";
import { Metrics } from "@millrace/core";
import { Console, Effect, Metric, Schema } from "effect";
import { TestConsole } from "effect/testing";

const Named = Schema.Struct({ Name: Schema.String, Unit: Schema.String });
const Directive = Schema.Struct({ Metrics: Schema.Array(Named) });
const decodeLine = Schema.decodeUnknownSync(
  Schema.Struct({ _aws: Schema.Struct({ CloudWatchMetrics: Schema.Array(Directive) }) }),
);
/** The units of a line's figures. */
const unitsOf = (line: unknown) => {
  const { _aws: directives } = decodeLine(line);
  return directives.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics);
};

/** What a fresh registry holds after the updates. */
const snapshotOf = (updates: Effect.Effect<void>) =>
  Effect.andThen(updates, Metric.snapshot).pipe(
    Effect.provideService(Metric.MetricRegistry, new Map()),
  );

describe("the line of an invocation", () => {
  it.effect("holds counters as numbers and histograms as buckets of their own", () =>
    Effect.gen(function* () {
      const started = Metric.counter("Started", { incremental: true });
      const stepMs = Metric.histogram("StepMs", { boundaries: [1, 2, 4, 8] });
      const snapshots = yield* snapshotOf(
        Effect.gen(function* () {
          yield* Metric.update(started, 2);
          yield* Metric.update(started, 1);
          for (const ms of [1, 3, 3, 100]) yield* Metric.update(stepMs, ms);
        }),
      );
      assert.deepStrictEqual(embeddedMetrics("Millrace", "csv", 7, snapshots), {
        _aws: {
          Timestamp: 7,
          CloudWatchMetrics: [
            {
              Namespace: "Millrace",
              Dimensions: [["Pipeline"]],
              Metrics: [
                { Name: "Started", Unit: "Count" },
                { Name: "StepMs", Unit: "Milliseconds" },
              ],
            },
          ],
        },
        Pipeline: "csv",
        Started: 3,
        StepMs: { Values: [1, 4, 100], Counts: [1, 2, 1] },
      });
    }),
  );

  it.effect("holds gauges, zeros too, and names the unit of each figure", () =>
    Effect.gen(function* () {
      const snapshots = yield* snapshotOf(
        Effect.gen(function* () {
          yield* Metrics.gaugeInFlight([], 5);
          yield* Metrics.countWork({ bytesIn: 30, bytesOut: 20 });
        }),
      );
      const line = embeddedMetrics("Millrace", "csv", 7, snapshots);
      assert.deepInclude(line, { InFlight: 0, OldestInFlightMs: 0, BytesIn: 30, Files: 1 });
      assert.notProperty(line, "RowsIn");
      const units = unitsOf(line);
      assert.includeDeepMembers(
        [...units],
        [
          { Name: "InFlight", Unit: "Count" },
          { Name: "OldestInFlightMs", Unit: "Milliseconds" },
          { Name: "BytesIn", Unit: "Bytes" },
        ],
      );
    }),
  );

  it.effect("is printed after the work, with what that has counted and nothing of before", () =>
    Effect.gen(function* () {
      yield* Metrics.countWork({ bytesIn: 99, bytesOut: 99 });
      yield* Metrics.countWork({ bytesIn: 30, bytesOut: 20 }).pipe(
        Effect.andThen(Console.log("the work")),
        printMetrics("csv"),
      );
      const [work, line, ...more] = (yield* TestConsole.logLines).map(String);
      assert.strictEqual(work, "the work");
      assert.deepInclude(JSON.parse(line ?? ""), { Pipeline: "csv", Files: 1, BytesIn: 30 });
      assert.lengthOf(more, 0);
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  );

  it.effect("is not written when nothing was counted", () =>
    Effect.gen(function* () {
      assert.isUndefined(embeddedMetrics("Millrace", "csv", 7, yield* snapshotOf(Effect.void)));
    }),
  );
});
