/**
 * Runs an effect and prints what was counted in it, as one line that CloudWatch turns into metrics.
 */
import { Clock, Console, type Context, Effect, Metric } from "effect";
import { embeddedMetrics } from "./embeddedMetrics.ts";
import { metricsNamespace } from "./Environment.ts";

/** `name` is the metrics' dimension: the pipeline, or the function that is of none. */
export const reportMetrics =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      // One registry per invocation: what is in it at the end happened in this one.
      const registry: Context.Service.Shape<typeof Metric.MetricRegistry> = new Map();
      const now = yield* Clock.currentTimeMillis;
      const namespace = yield* metricsNamespace;
      const result = yield* Effect.provideService(effect, Metric.MetricRegistry, registry);
      const counted = yield* Effect.provideService(
        Metric.snapshot,
        Metric.MetricRegistry,
        registry,
      );
      const line = embeddedMetrics(namespace, name, now, counted);
      // As it is: CloudWatch looks for the metrics at the top of the line's JSON.
      if (line) yield* Console.log(JSON.stringify(line));
      return result;
    });
