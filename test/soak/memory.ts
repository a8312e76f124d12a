/**
 * How much memory the host and its worker processes hold together, over time.
 */
import { Effect } from "effect";
import { execFile } from "node:child_process";

const bytesPerMb = 1024 * 1024;
const kilobytesPerMb = 1024;

/** Resident memory of other processes, as `ps` tells it; those that have ended are not in it. */
const residentMb = (pids: ReadonlyArray<number>) =>
  Effect.callback<number>((resume) => {
    if (pids.length === 0) return resume(Effect.succeed(0));
    execFile("ps", ["-o", "rss=", "-p", pids.join(",")], (_, out) => {
      const sum = out.split("\n").reduce((kilobytes, line) => kilobytes + Number(line.trim()), 0);
      resume(Effect.succeed(sum / kilobytesPerMb));
    });
  });

/** All at this moment. */
export const sampleMb = (pids: ReadonlyArray<number>): Effect.Effect<number> =>
  Effect.map(residentMb(pids), (others) => process.memoryUsage.rss() / bytesPerMb + others);

/** The value below which that part of all lies; 0 of nothing. */
export const quantile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
};

/** The median of the first quarter of the samples and that of the last. */
export const quarters = (
  samples: ReadonlyArray<number>,
): { readonly first: number; readonly last: number } => {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  return {
    first: quantile(samples.slice(0, quarter), 0.5),
    last: quantile(samples.slice(-quarter), 0.5),
  };
};
