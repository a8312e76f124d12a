/**
 * Runs an effect with a registry of metrics of its own, and prints what it has counted as one line.
 */
import { Clock, Console, type Context, Effect, Metric } from "effect";
import { embeddedMetrics } from "./embeddedMetrics.ts";
import { metricsNamespace } from "./Environment.ts";

/** What is in the registry at the end happened in the effect; `pipeline` is the line's dimension. */
export const printMetrics =
  (pipeline: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const registry: Context.Service.Shape<typeof Metric.MetricRegistry> = new Map();
      const now = yield* Clock.currentTimeMillis;
      const result = yield* Effect.provideService(self, Metric.MetricRegistry, registry);
      const counted = yield* Effect.provideService(
        Metric.snapshot,
        Metric.MetricRegistry,
        registry,
      );
      const line = embeddedMetrics(yield* metricsNamespace, pipeline, now, counted);
      // As it is: CloudWatch looks for the metrics at the top of the line's JSON.
      if (line) yield* Console.log(JSON.stringify(line));
      return result;
    });
