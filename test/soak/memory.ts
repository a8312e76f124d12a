/**
 * How much memory the host and its worker processes hold together, over time.
 *
 * Resident memory counts pages of files that are mapped: LevelDB, in which the embedded DynamoDB keeps its tables, maps
 * up to a thousand of its files, so that the figure grows with the data on the disk. What a leak would show in is the
 * memory that belongs to the processes alone, which Linux tells of; elsewhere the resident has to do.
 *
 * Units:  megabytes of 2^20 bytes
 */
import { Effect } from "effect";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";

const kilobytesPerMb = 1024;

export interface MemorySample {
  readonly residentMb: number;
  readonly privateMb: number;
}

/** A figure of a process's status; nothing when it has ended, or where there is no such file. */
const statusKilobytes = (pid: number, figure: string): number | undefined => {
  try {
    const found = new RegExp(`^${figure}:\\s+(\\d+) kB$`, "mu").exec(
      readFileSync(`/proc/${pid}/status`, "utf8"),
    );
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
};

/** Resident memory as `ps` tells it; processes that have ended are not in it. */
const residentKilobytes = (pids: ReadonlyArray<number>) =>
  Effect.callback<number>((resume) => {
    execFile("ps", ["-o", "rss=", "-p", pids.join(",")], (_, out) => {
      resume(Effect.succeed(out.split("\n").reduce((sum, line) => sum + Number(line.trim()), 0)));
    });
  });

const isLinux = process.platform === "linux";

/** This process and those given, at this moment. */
export const sampleMemory = Effect.fnUntraced(function* (others: ReadonlyArray<number>) {
  const pids = [process.pid, ...others];
  const sum = (figure: string) =>
    pids.reduce((all, pid) => all + (statusKilobytes(pid, figure) ?? 0), 0);
  const resident = isLinux ? sum("VmRSS") : yield* residentKilobytes(pids);
  const own = isLinux ? sum("RssAnon") : resident;
  return {
    residentMb: resident / kilobytesPerMb,
    privateMb: own / kilobytesPerMb,
  } satisfies MemorySample;
});

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
