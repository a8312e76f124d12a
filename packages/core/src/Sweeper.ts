/**
 * Finds executions that should have moved and did not, and asks for them again.
 *
 * Wakes and timers are hints, and a hint may be lost: a process dies between the commit and the send. The index tells
 * which executions are open; whether one of them is overdue is decided from its history alone, so that an old or
 * missing row costs time and never correctness.
 *
 * Cost: one query of the journal per open execution and sweep.
 */
import { Clock, Effect, Metric } from "effect";
import { askAgain } from "./askAgain.ts";
import { standsStill } from "./Decision.ts";
import {
  type ExecutionRow,
  Executions,
  isLater,
  openStatuses,
  statusOf,
  toRow,
} from "./Executions.ts";
import { type ExecutionState, foldCommits } from "./ExecutionState.ts";
import type { ClockScheduled, Commit } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { forgottenExecutions } from "./Metrics.ts";
import { Wakes } from "./Wakes.ts";

/** What an overdue execution is asked for with. */
export type Nudge =
  | { readonly _tag: "Wake"; readonly mode: "automatic" | "explicit" }
  | { readonly _tag: "Timer"; readonly clock: typeof ClockScheduled.Type };

/** What a sweep did. */
export interface Swept {
  readonly looked: number;
  readonly nudged: number;
  /** Rows that were behind their history, and were brought up to date. */
  readonly repaired: number;
  /** Executions that could not be read; each is logged. */
  readonly unreadable: number;
}

/**
 * How long after it was due an execution counts as forgotten, in milliseconds.
 * Longer than a message takes in a busy queue: a nudge too many costs a run over the history.
 */
export const sweepGraceMs = 120_000;

/**
 * A redrive is entered in the index before its fact is stored. After this long, in milliseconds, a fact that is not there
 * does not come any more: its process has asked the store for less than ten seconds.
 */
const enteredMsMax = 900_000;

/** Rows per page of the index. */
const pageRows = 100;

/** Histories that are read side by side. */
const rowsAtOnce = 8;

/** What an execution with this history, whose row is open, is overdue for at `nowEpochMs`. */
export const overdueOf = (
  commits: ReadonlyArray<Commit>,
  nowEpochMs: number,
  graceMs: number = sweepGraceMs,
): ReadonlyArray<Nudge> => {
  const state = foldCommits(commits);
  const dueEpochMs = nowEpochMs - graceMs;
  if (!state.started) return [];
  if (state.completed) {
    // Its row is still open: the process that stored the end may not have come to tell the parent.
    const untold = state.started.parent && state.completed.atEpochMs <= dueEpochMs;
    return untold ? [{ _tag: "Wake", mode: "automatic" }] : [];
  }
  if (standsStill(state)) return [];
  if (!state.suspended) {
    const free = state.releasedAtEpochMs ?? state.started.atEpochMs;
    const lease = state.run?.leaseUntilEpochMs ?? free;
    return lease <= dueEpochMs ? [{ _tag: "Wake", mode: "automatic" }] : [];
  }
  const after = factsAfterSuspension(commits).filter(({ atEpochMs }) => atEpochMs <= dueEpochMs);
  if (after.some((event) => event._tag === "InterruptRequested")) {
    return [{ _tag: "Wake", mode: "explicit" }];
  }
  if (state.suspended.failed) return [];
  return after.length > 0 ? [{ _tag: "Wake", mode: "automatic" }] : timersDue(state, dueEpochMs);
};

const factsAfterSuspension = (commits: ReadonlyArray<Commit>) => {
  const events = commits.flatMap((commit) => commit.events);
  return events.slice(events.findLastIndex(({ _tag }) => _tag === "Suspended") + 1);
};

const timersDue = (state: ExecutionState, dueEpochMs: number): ReadonlyArray<Nudge> =>
  [...state.clocks.values()]
    .filter((clock) => clock.wakeAtEpochMs <= dueEpochMs && !state.deferreds.has(clock.deferred))
    .map((clock) => ({ _tag: "Timer", clock }));

export interface SweepOptions {
  readonly graceMs?: number | undefined;
  /** Whether there is a queue for the executions of a workflow; without one they are counted as unreadable. @default all */
  readonly knows?: ((workflow: string) => boolean) | undefined;
  /** Told of every open row, those that are left alone included. */
  readonly sees?: ((row: ExecutionRow) => void) | undefined;
  /** Whether executions of a workflow are left alone: their pipeline is paused, and nudges would pile up. @default none */
  readonly skips?: ((workflow: string) => boolean) | undefined;
}

/** Looks at every open execution of the index once. Fails when the index does not answer; what it has asked for stands. */
export const sweep = Effect.fnUntraced(function* (options: SweepOptions = {}) {
  const executions = yield* Executions;
  let swept: Swept = { looked: 0, nudged: 0, repaired: 0, unreadable: 0 };
  let cursor: string | undefined;
  do {
    const page = yield* executions.list({ status: [...openStatuses], rowsMax: pageRows, cursor });
    if (options.sees) page.rows.forEach(options.sees);
    const ones = yield* Effect.forEach(page.rows, (row) => sweepOne(row, options), {
      concurrency: rowsAtOnce,
    });
    for (const one of ones) swept = add(swept, one);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return swept;
});

const add = (swept: Swept, one: Partial<Swept>): Swept => ({
  looked: swept.looked + 1,
  nudged: swept.nudged + (one.nudged ?? 0),
  repaired: swept.repaired + (one.repaired ?? 0),
  unreadable: swept.unreadable + (one.unreadable ?? 0),
});

const sweepOne = Effect.fnUntraced(
  function* (row: ExecutionRow, { graceMs, knows, skips }: SweepOptions) {
    const { commit, executionId, workflow } = row;
    if (skips?.(workflow)) return {};
    if (knows && !knows(workflow)) return yield* unreadable(row, `no queue for ${workflow}`);
    const journal = yield* Journal;
    const wakes = yield* Wakes;
    const commits = yield* askAgain(journal.load(executionId, 0));
    const nudges = overdueOf(commits, yield* Clock.currentTimeMillis, graceMs);
    const target = { workflow, executionId };
    for (const nudge of nudges) {
      yield* nudge._tag === "Wake"
        ? wakes.wake(target, nudge.mode)
        : wakes.timer({
            ...target,
            clock: nudge.clock.name,
            wakeAtEpochMs: nudge.clock.wakeAtEpochMs,
          });
    }
    if (nudges.length > 0) yield* Metric.update(forgottenExecutions, 1);
    const isRight = commits.length === commit && statusOf(foldCommits(commits)) === row.status;
    const repaired = nudges.length === 0 && !isRight ? yield* repair(row, commits) : 0;
    return { nudged: nudges.length > 0 ? 1 : 0, repaired };
  },
  (effect, row) =>
    Effect.catchTags(effect, {
      JournalUnavailable: (error) => unreadable(row, error.message),
      JournalCorrupt: (error) => unreadable(row, error.message),
    }),
);

const unreadable = ({ executionId }: ExecutionRow, reason: string) =>
  Effect.logWarning("execution not swept", reason).pipe(
    Effect.annotateLogs({ executionId }),
    Effect.as({ unreadable: 1 }),
  );

const repair = Effect.fnUntraced(function* (seen: ExecutionRow, commits: ReadonlyArray<Commit>) {
  const { executionId } = seen;
  const state = foldCommits(commits);
  const row = toRow(executionId, state);
  // The row of an ended child stays open until somebody has told its parent: closed here, nobody would look again.
  if (!row || (state.completed && state.started?.parent)) return 0;
  const isEarly = isLater(seen, row);
  const now = yield* Clock.currentTimeMillis;
  // A redrive that is entered and not stored yet: whoever makes it may be about to.
  if (isEarly && now < seen.updatedEpochMs + enteredMsMax) return 0;
  const executions = yield* Executions;
  yield* executions.record(row, isEarly ? seen : undefined);
  return 1;
});
