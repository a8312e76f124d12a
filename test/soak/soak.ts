/**
 * A soak: a whole local mode takes many uploads while requests fail, events come twice and workers are killed; when all
 * is quiet the stores are read, and compared with what had to become of each upload.
 */
import { Prng } from "@millrace/core/testing/simulation";
import { Clock, Effect, Fiber, Schedule } from "effect";
import { killWorkers } from "./killWorkers.ts";
import { type MemorySample, quantile, quarters, sampleMemory } from "./memory.ts";
import { readJournal, readOutputs, readRows, takeLetters } from "./readStores.ts";
import { replayArchive, type ReplayRange, type ReplayResult } from "./replayArchive.ts";
import type { SoakOptions, SoakReport, SoakResult } from "./SoakReport.ts";
import { layerSoakWorld, SoakWorld } from "./SoakWorld.ts";
import { judge, type Stores } from "./soakViolations.ts";
import { storm } from "./storm.ts";
import { type SoakUpload, uploadAll } from "./uploadAll.ts";

const sampleEvery = "1 second";

/**
 * Memory counts as flat while the last quarter of a soak holds at most this much more than the first, in megabytes: the
 * heaps of seven processes grow for a while before they are first collected, whatever the number of uploads.
 */
const growthMbMax = 300;
/** A shorter soak says nothing about growth: in its first quarter the processes' heaps are still growing to their size. */
const uploadsOfGrowthMin = 10_000;

/** Runs while the uploads go on; what it has seen stands in its arrays. */
interface Watch {
  readonly memory: Array<MemorySample>;
  readonly uploads: Array<SoakUpload>;
  kills: number;
  duplicates: number;
}

const uploadUnderFire = Effect.fnUntraced(function* (options: SoakOptions) {
  const { lines } = yield* SoakWorld;
  const watch: Watch = { memory: [], uploads: [], kills: 0, duplicates: 0 };
  const sampler = yield* Effect.forkChild(
    Effect.forever(
      Effect.andThen(
        Effect.suspend(() => sampleMemory([...lines.alive])).pipe(
          Effect.map((sample) => void watch.memory.push(sample)),
        ),
        Effect.sleep(sampleEvery),
      ),
    ),
  );
  const killer = yield* Effect.forkChild(
    killWorkers(new Prng(options.seed + 1), () => void watch.kills++),
  );
  const beganMs = performance.now();
  yield* uploadAll(options, (upload, again) => {
    watch.uploads.push(upload);
    if (again) watch.duplicates++;
    options.onProgress?.("uploads", watch.uploads.length, options.uploads);
  });
  const ms = performance.now() - beganMs;
  yield* Fiber.interrupt(killer);
  yield* Fiber.interrupt(sampler);
  return { ...watch, ms };
});

/** Waits until nothing is on its way, and puts back what a queue gave up, as often as there is something. */
const settle = Effect.gen(function* () {
  const { deliver, front, quiet } = yield* SoakWorld;
  const letters: Array<string> = [];
  let putBack = 0;
  front.calm();
  while (true) {
    yield* quiet;
    const { executions, givenUp } = yield* takeLetters;
    letters.push(...executions);
    if (givenUp.length === 0) return { letters, putBack };
    putBack += givenUp.length;
    for (const { body, pipeline } of givenUp) yield* deliver(pipeline, body);
  }
});

const readStores = Effect.fnUntraced(function* (options: SoakOptions, letters: Array<string>) {
  let read = 0;
  const journal = yield* readJournal(() =>
    options.onProgress?.("histories read", ++read, options.uploads),
  );
  return {
    journal,
    rows: yield* repairedRows(journal),
    outputs: yield* readOutputs,
    deadLetters: letters,
  };
});

/** The sweeper comes every minute: three times are enough for whatever it has to repair. */
const repairsMax = 180;

/** The rows, once they tell what the journal does: one whose write failed is left to the sweeper. */
const repairedRows = (journal: Stores["journal"]) =>
  readRows.pipe(
    Effect.repeat({
      until: (rows) =>
        [...journal].every(
          ([executionId, { commits }]) => rows.get(executionId)?.commit === commits,
        ),
      schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: repairsMax })),
    }),
  );

const growthViolations = (
  uploads: number,
  { first, last }: { readonly first: number; readonly last: number },
): ReadonlyArray<string> =>
  uploads >= uploadsOfGrowthMin && last > first + growthMbMax
    ? [`memory grew from ${Math.round(first)} MB to ${Math.round(last)} MB`]
    : [];

/** An instant as the command wants it, and so many milliseconds away: archived events have whole seconds. */
const instant = (epochMs: number): string => new Date(epochMs).toISOString();

/** What comes after: nothing, a replay of the archive, a storm. */
const runReplays = Effect.fnUntraced(function* (
  options: SoakOptions,
  stores: Stores,
  range: ReplayRange,
) {
  const results: Array<ReplayResult> = [];
  if (options.replay) {
    options.onProgress?.("replay of the archive", 0, 1);
    results.push(yield* replayArchive(stores, options.uploads, range));
    options.onProgress?.("replay of the archive", 1, 1);
  }
  if (options.stormEvents) {
    const asked = {
      seed: options.seed,
      archived: options.uploads,
      events: options.stormEvents,
      onRound: (round: number, rounds: number) => options.onProgress?.("storm", round, rounds),
    };
    results.push(yield* storm(asked, range, stores));
  }
  return results;
});

const runSoak = Effect.fnUntraced(function* (options: SoakOptions) {
  const { front, lines } = yield* SoakWorld;
  const beganMs = performance.now();
  const from = instant((yield* Clock.currentTimeMillis) - 1_000);
  const fire = yield* uploadUnderFire(options);
  const { letters, putBack } = yield* settle;
  const stores = yield* readStores(options, letters);
  const judgement = judge(fire.uploads, stores);
  const to = instant((yield* Clock.currentTimeMillis) + 1_000);
  // Files that are uploaded from now on lie after the range.
  if (options.stormEvents) yield* Effect.sleep("2 seconds");
  const replays = yield* runReplays(options, stores, { from, to });
  const resident = fire.memory.map(({ residentMb }) => residentMb);
  const own = quarters(fire.memory.map(({ privateMb }) => privateMb));
  const violations = [
    ...judgement.violations,
    ...growthViolations(options.uploads, own),
    ...replays.flatMap((one) => one.violations),
  ];
  const latencies = fire.uploads.flatMap(({ fate, ms }) => (fate === "ignored" ? [] : [ms]));
  const { completed, deadLettered, failed, ignored, inFlight, startsPerUpload } = judgement;
  const report: SoakReport = {
    ok: violations.length === 0,
    uploads: fire.uploads.length,
    completed,
    failed,
    ignored,
    deadLettered,
    startsPerUpload,
    uploadsPerSecond: Number((fire.uploads.length / (fire.ms / 1_000)).toFixed(1)),
    rssMb: Math.round(quantile(resident, 1)),
    seed: options.seed,
    ms: Math.round(performance.now() - beganMs),
    violations: violations.length,
    inFlight,
    duplicates: fire.duplicates,
    kills: fire.kills,
    requests: front.requests(),
    faults: front.faults(),
    putBack,
    p50Ms: Math.round(quantile(latencies, 0.5)),
    p95Ms: Math.round(quantile(latencies, 0.95)),
    rssFirstMb: Math.round(quarters(resident).first),
    rssLastMb: Math.round(quarters(resident).last),
    privateFirstMb: Math.round(own.first),
    privateLastMb: Math.round(own.last),
    invocationFailures: lines.invocationFailures,
    messageFailures: lines.messageFailures,
    lettersRepeated: letters.length - deadLettered,
    outputsRepeated: judgement.outputsRepeated,
    ...Object.assign({}, ...replays.map(({ figures }) => figures)),
  };
  return { report, violations } satisfies SoakResult;
});

/** Runs a soak to its end. */
export const soak = (options: SoakOptions): Promise<SoakResult> =>
  Effect.runPromise(runSoak(options).pipe(Effect.provide(layerSoakWorld(options)), Effect.scoped));
