/**
 * A replay storm: the archive again and again, until so many old events have come, while new files are uploaded at a
 * steady pace. Old events must cost reads only, and the new files must still be processed.
 */
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Fiber } from "effect";
import { countWrites } from "./countWrites.ts";
import { quantile } from "./memory.ts";
import { makeOperator } from "./operator.ts";
import type { ReplayRange, ReplayResult } from "./replayArchive.ts";
import { soakFile } from "./soakFile.ts";
import type { Stores } from "./soakViolations.ts";
import { uploadOne } from "./uploadAll.ts";

/** New files come this often, and for this long before the storm. */
const everyMs = 500;
const calmMs = 20_000;

interface Asked {
  readonly seed: number;
  /** Uploads of the soak, and so events in the archive. */
  readonly archived: number;
  readonly events: number;
  readonly onRound: (round: number, rounds: number) => void;
}

/** Uploads for ever; `take` gets the milliseconds of each that has ended. Numbers go on from `from`. */
const uploadSteadily = Effect.fnUntraced(function* (
  seed: number,
  from: number,
  take: (ms: number) => void,
) {
  for (let number = from; ; number++) {
    const file = yield* Effect.promise(() => soakFile(seed, number));
    // An image's record would be a write that names no execution.
    if (file.fate === "completed" && file.pipeline === pipelines.csvToParquet) {
      yield* Effect.forkChild(Effect.map(uploadOne(file), ({ ms }) => take(ms)));
    }
    yield* Effect.sleep(everyMs);
  }
});

/** The times from upload to end of what is uploaded while the effect runs; all have ended. */
const whileUploading = Effect.fnUntraced(function* <A, E, R>(
  seed: number,
  from: number,
  effect: Effect.Effect<A, E, R>,
) {
  const latencies: Array<number> = [];
  const uploader = yield* Effect.forkChild(
    uploadSteadily(seed, from, (ms) => void latencies.push(ms)),
  );
  const result = yield* effect;
  // What was uploaded last has a moment to end: it is under way in this very process.
  yield* Effect.sleep(everyMs);
  yield* Fiber.interrupt(uploader);
  return { result, latencies };
});

/** The storm; the stores tell which executions are old. */
export const storm = Effect.fnUntraced(function* (
  asked: Asked,
  range: ReplayRange,
  stores: Stores,
) {
  const operator = yield* makeOperator;
  const { archived, events, onRound, seed } = asked;
  const rounds = Math.ceil(events / archived);
  const calm = yield* whileUploading(seed, archived, Effect.sleep(calmMs));
  const beganMs = performance.now();
  const replays = Effect.gen(function* () {
    let [read, wrong] = [0, 0];
    for (let round = 1; round <= rounds; round++) {
      const { events, left, executions } = yield* operator.replay(
        "--from",
        range.from,
        "--to",
        range.to,
      );
      read += events;
      wrong += executions - left;
      onRound(round, rounds);
    }
    return { read, wrong };
  });
  const { counts, result } = yield* countWrites(
    (executionId) => stores.journal.has(executionId),
    whileUploading(seed, archived + 1_000, replays),
  );
  const { latencies, result: replayed } = result;
  const violations: Array<string> = [];
  if (counts.oldWrites > 0) violations.push(`storm: ${counts.oldWrites} writes for old events`);
  if (replayed.wrong > 0) violations.push(`storm: ${replayed.wrong} old executions not left alone`);
  if (replayed.read !== rounds * archived) {
    violations.push(`storm: ${replayed.read} events of ${rounds * archived} came`);
  }
  if (latencies.length === 0) violations.push("storm: no new upload ended meanwhile");
  const stormMs = performance.now() - beganMs;
  return {
    violations,
    figures: {
      stormEvents: replayed.read,
      stormReads: counts.reads,
      stormWrites: counts.oldWrites,
      stormMs: Math.round(stormMs),
      stormEventsPerSecond: Math.round(replayed.read / (stormMs / 1_000)),
      stormUploads: latencies.length,
      stormP50Ms: Math.round(quantile(latencies, 0.5)),
      stormP95Ms: Math.round(quantile(latencies, 0.95)),
      calmP50Ms: Math.round(quantile(calm.latencies, 0.5)),
      calmP95Ms: Math.round(quantile(calm.latencies, 0.95)),
    },
  } satisfies ReplayResult;
}, Effect.scoped);
