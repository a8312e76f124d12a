/**
 * Replays the whole archive of a soak as an operator does: `join` must start and write nothing, `failed` must redrive
 * what failed and nothing else, and each dry run must have counted what then happened.
 */
import { localBuckets } from "@millrace/local";
import { Effect } from "effect";
import { countWrites } from "./countWrites.ts";
import { makeOperator, type Operator, type ReplayAnswer } from "./operator.ts";
import { readOutputs, readRows, takeLetters, type Written } from "./readStores.ts";
import { SoakWorld } from "./SoakWorld.ts";
import type { Stores } from "./soakViolations.ts";

export interface ReplayResult {
  readonly violations: ReadonlyArray<string>;
  readonly figures: Readonly<Record<string, number>>;
}

/** By the events' own time, as the command wants it. */
export interface ReplayRange {
  readonly from: string;
  readonly to: string;
}

type Outputs = ReadonlyMap<string, ReadonlyArray<Written>>;

/** One text for each version, with its time. */
const texts = (outputs: Outputs, bucket = ""): ReadonlySet<string> =>
  new Set(
    [...outputs].flatMap(([name, versions]) =>
      name.startsWith(bucket)
        ? versions.map(({ etag, modifiedEpochMs, versionId }) =>
            [name, versionId, etag, modifiedEpochMs].join(" "),
          )
        : [],
    ),
  );

const changes = (before: ReadonlySet<string>, after: ReadonlySet<string>): number =>
  [...before].filter((one) => !after.has(one)).length +
  [...after].filter((one) => !before.has(one)).length;

/** What is different between two answers, or between what was counted and what had to be. */
const differences = (
  about: string,
  expected: Partial<ReplayAnswer>,
  found: ReplayAnswer,
): ReadonlyArray<string> =>
  Object.entries(expected).flatMap(([name, count]) => {
    const other = Object.entries(found).find(([key]) => key === name)?.[1];
    return other === count ? [] : [`${about}: ${name} is ${other}, and not ${count}`];
  });

/** Dry run and command, with what both must have counted. */
const both = Effect.fnUntraced(function* (
  operator: Operator,
  { from, to }: ReplayRange,
  mode: string,
  expected: Partial<ReplayAnswer>,
) {
  const words = ["--from", from, "--to", to, "--mode", mode, "--rate", "200/s"];
  const counted = yield* operator.replay(...words, "--dry-run");
  const done = yield* operator.replay(...words);
  return [
    ...differences(`dry run of ${mode}`, expected, counted),
    ...differences(`${mode} after its dry run`, counted, done),
  ];
});

/** Waits for what was redriven, and compares everything with what was there before. */
const redriven = Effect.fnUntraced(function* (stores: Stores, outputs: Outputs) {
  const { quiet } = yield* SoakWorld;
  yield* quiet;
  const rows = yield* readRows;
  const violations: Array<string> = [];
  let count = 0;
  for (const [executionId, { commits, status, subject }] of stores.journal) {
    const row = rows.get(executionId);
    if (status === "failed") {
      if (row?.status === "failed" && row.redrives === 1) count++;
      else violations.push(`${subject}: redriven ${row?.redrives ?? 0} times, is ${row?.status}`);
    } else if (row?.commit !== commits || row.redrives !== undefined) {
      violations.push(`${subject}: did not fail, and was touched by the redrive of what failed`);
    }
  }
  const letters = new Set((yield* takeLetters).executions);
  if (letters.size !== count) violations.push(`${letters.size} dead letters of ${count} redriven`);
  const { clean } = localBuckets;
  const changed = changes(texts(outputs, clean), texts(yield* readOutputs, clean));
  if (changed > 0) violations.push(`${changed} outputs changed by the redrive of what failed`);
  return { violations, count };
});

/** Everything; the stores are what they were when the soak had ended. */
export const replayArchive = Effect.fnUntraced(function* (
  stores: Stores,
  uploads: number,
  range: ReplayRange,
) {
  const operator = yield* makeOperator;
  const told = [...stores.journal.values()];
  const failed = told.filter(({ status }) => status === "failed").length;
  const found = {
    events: uploads,
    ignored: uploads - told.length,
    duplicates: 0,
    executions: told.length,
    missing: 0,
    underWay: 0,
    finished: told.length - failed,
    failed,
    started: 0,
    rerun: 0,
    refused: 0,
  };
  const before = yield* readOutputs;
  const beganMs = performance.now();
  const joined = yield* countWrites(
    () => true,
    both(operator, range, "join", { ...found, redriven: 0, left: told.length }),
  );
  const joinMs = performance.now() - beganMs;
  const violations = [...joined.result];
  const rewritten = changes(texts(before), texts(yield* readOutputs));
  if (rewritten > 0) violations.push(`join: ${rewritten} outputs changed`);
  if (joined.counts.writes > 0) violations.push(`join: ${joined.counts.writes} writes to tables`);
  const expected = { ...found, redriven: failed, left: told.length - failed };
  violations.push(...(yield* both(operator, range, "failed", expected)));
  const after = yield* redriven(stores, before);
  violations.push(...after.violations);
  return {
    violations,
    figures: {
      replayedEvents: 2 * uploads,
      replayStarted: 0,
      replayOutputsRewritten: rewritten,
      replayReads: joined.counts.reads,
      replayWrites: joined.counts.writes,
      replayRedriven: after.count,
      replayMs: Math.round(joinMs),
    },
  } satisfies ReplayResult;
}, Effect.scoped);
