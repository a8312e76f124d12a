/**
 * Small and large files together, as a day has them (requirement D2.9): each must come out right and by its own path; how
 * many did, and how long they took from upload to output, are the figures of D3.4.
 *
 * Units:  milliseconds; shares from 0 to 1
 */
import { type Commit, Executions, Journal } from "@millrace/core";
import type { LocalModeOptions } from "@millrace/local";
import { Clock, Effect, Schema } from "effect";
import { layerLocalWorld, LocalWorld } from "../LocalWorld.ts";

export interface MixedLoadOptions {
  readonly small: number;
  readonly large: number;
  /** Rows of a file; the larger ones go beyond the threshold. */
  readonly smallRows: number;
  readonly largeRows: number;
  readonly thresholdBytes: number;
  readonly local?: LocalModeOptions;
  readonly onProgress?: (done: number, total: number) => void;
}

interface Latencies {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface MixedLoadReport {
  readonly uploads: number;
  readonly completed: number;
  readonly failed: number;
  readonly successRate: number;
  readonly errorRate: number;
  /** Files whose rows are not all there. */
  readonly wrongRows: ReadonlyArray<string>;
  /** Files that were not where their size sends them. */
  readonly wrongPath: ReadonlyArray<string>;
  readonly smallMs: Latencies;
  readonly largeMs: Latencies;
  /** Files that took five minutes or more from upload to output. */
  readonly late: number;
}

const lateMs = 300_000;
const uploadsAtOnce = 8;

const fileOf = (rows: number, number: number): string =>
  `id,name,total\n${Array.from({ length: rows }, (_, row) => `${row},file ${number} row ${row},${row * 7}`).join("\n")}\n`;

const Report = Schema.Struct({ report: Schema.Struct({ rowsOut: Schema.Int }) });
const isReport = Schema.is(Report);

const pathOf = (commits: ReadonlyArray<Commit>): "lambda" | "fargate" =>
  commits.some(({ events }) =>
    events.some(
      (event) => event._tag === "ActivityCompleted" && event.name.startsWith("transform: launch"),
    ),
  )
    ? "fargate"
    : "lambda";

const latencies = (values: ReadonlyArray<number>): Latencies => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
};

const one = Effect.fnUntraced(function* (kind: "small" | "large", number: number, rows: number) {
  const { ended, upload } = yield* LocalWorld;
  const journal = yield* Journal;
  const executions = yield* Executions;
  const key = `incoming/${kind}/${number}.csv`;
  const beganMs = yield* Clock.currentTimeMillis;
  const { executionId } = yield* ended(yield* upload(key, fileOf(rows, number)));
  const row = yield* Effect.fromNullishOr(yield* executions.find(executionId));
  const path = pathOf(yield* journal.load(executionId, 0));
  return {
    kind,
    key,
    status: row.status,
    isRight: isReport(row.result) && row.result.report.rowsOut === rows,
    isOnPath: path === (kind === "small" ? "lambda" : "fargate"),
    tookMs: row.updatedEpochMs - beganMs,
  };
});

const run = Effect.fnUntraced(function* (options: MixedLoadOptions) {
  const { large, largeRows, onProgress, small, smallRows } = options;
  const total = small + large;
  let done = 0;
  const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.tap(effect, () => Effect.sync(() => onProgress?.(++done, total)));
  // The large ones first: they work while the small ones come and go.
  const [ofLarge, ofSmall] = yield* Effect.all(
    [
      Effect.forEach(
        Array.from({ length: large }, (_, number) => number),
        (number) => counted(one("large", number, largeRows)),
        { concurrency: "unbounded" },
      ),
      Effect.forEach(
        Array.from({ length: small }, (_, number) => number),
        (number) => counted(one("small", number, smallRows)),
        { concurrency: uploadsAtOnce },
      ),
    ],
    { concurrency: "unbounded" },
  );
  const all = [...ofLarge, ...ofSmall];
  const completed = all.filter(({ status }) => status === "completed").length;
  const report: MixedLoadReport = {
    uploads: total,
    completed,
    failed: total - completed,
    successRate: completed / total,
    errorRate: (total - completed) / total,
    wrongRows: all.filter(({ isRight }) => !isRight).map(({ key }) => key),
    wrongPath: all.filter(({ isOnPath }) => !isOnPath).map(({ key }) => key),
    smallMs: latencies(ofSmall.map(({ tookMs }) => tookMs)),
    largeMs: latencies(ofLarge.map(({ tookMs }) => tookMs)),
    late: all.filter(({ tookMs }) => tookMs >= lateMs).length,
  };
  return report;
});

/** Runs all of them through a local mode of its own. */
export const runMixedLoad = (options: MixedLoadOptions) =>
  run(options).pipe(
    Effect.provide(
      layerLocalWorld({
        timeoutSeconds: 60,
        variables: { MILLRACE_TASK_BYTES_MIN: String(options.thresholdBytes) },
        ...options.local,
      }),
    ),
    Effect.scoped,
  );
