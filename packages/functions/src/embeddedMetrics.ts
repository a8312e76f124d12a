/**
 * Metrics in CloudWatch's embedded format: one line of JSON per invocation, which CloudWatch Logs turns into metrics
 * without any request.
 *
 * A counter is a number, and so is a gauge; a histogram is its buckets' upper bounds with how many values fell into each.
 *
 * Source: Amazon CloudWatch user guide, "Specification: Embedded metric format"
 */
import type { Metric } from "effect";

type Value =
  | number
  | { readonly Values: ReadonlyArray<number>; readonly Counts: ReadonlyArray<number> };

type Unit = "Bytes" | "Count" | "Milliseconds";

/** By the name, which says it. */
const unitOf = (name: string): Unit => {
  if (name.startsWith("Bytes")) return "Bytes";
  return name.endsWith("Ms") ? "Milliseconds" : "Count";
};

interface Measured {
  readonly name: string;
  readonly unit: Unit;
  readonly value: Value;
}

/** The line, as an object; nothing when nothing was counted. `pipeline` is the pipeline's name, or `sweeper`. */
export const embeddedMetrics = (
  namespace: string,
  pipeline: string,
  atEpochMs: number,
  snapshots: ReadonlyArray<Metric.Metric.Snapshot>,
): Readonly<Record<string, unknown>> | undefined => {
  const measured = snapshots.flatMap(measure);
  if (measured.length === 0) return undefined;
  return {
    _aws: {
      Timestamp: atEpochMs,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [["Pipeline"]],
          Metrics: measured.map(({ name, unit }) => ({ Name: name, Unit: unit })),
        },
      ],
    },
    Pipeline: pipeline,
    ...Object.fromEntries(measured.map(({ name, value }) => [name, value])),
  };
};

const measure = (snapshot: Metric.Metric.Snapshot): ReadonlyArray<Measured> => {
  const { id: name } = snapshot;
  switch (snapshot.type) {
    case "Counter": {
      const count = Number(snapshot.state.count);
      return count === 0 ? [] : [{ name, unit: unitOf(name), value: count }];
    }
    // Nothing is a figure, too: an alarm on a gauge that is missing would never end.
    case "Gauge":
      return [{ name, unit: unitOf(name), value: Number(snapshot.state.value) }];
    case "Histogram": {
      const buckets = ownBuckets(snapshot.state);
      if (buckets.length === 0) return [];
      const value = {
        Values: buckets.map(([bound]) => bound),
        Counts: buckets.map(([, count]) => count),
      };
      return [{ name, unit: unitOf(name), value }];
    }
    // The engine has no others.
    default:
      return [];
  }
};

/** Effect's buckets are cumulative; here each has its own count, and what is beyond the last bound counts as the maximum. */
const ownBuckets = ({
  buckets,
  count,
  max,
}: Metric.HistogramState): ReadonlyArray<readonly [number, number]> => {
  let before = 0;
  const own = buckets.flatMap(([bound, upTo]) => {
    const here = upTo - before;
    before = upTo;
    return here > 0 && Number.isFinite(bound) ? [[bound, here] as const] : [];
  });
  const beyond = count - own.reduce((sum, [, here]) => sum + here, 0);
  return beyond > 0 ? [...own, [max, beyond]] : own;
};
