/**
 * Effect's metrics as CloudWatch's embedded format.
 */
import { assert, describe, it } from "@effect/vitest";
import { embeddedMetrics } from "@millrace/functions/embeddedMetrics";
import { Effect, Metric } from "effect";

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

  it.effect("is not written when nothing was counted", () =>
    Effect.gen(function* () {
      assert.isUndefined(embeddedMetrics("Millrace", "csv", 7, yield* snapshotOf(Effect.void)));
    }),
  );
});
