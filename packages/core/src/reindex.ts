/**
 * The row of an execution from its journal: a row that is missing, behind, or of an older form is made anew.
 */
import { Effect } from "effect";
import { askAgain } from "./askAgain.ts";
import { Executions, openStatuses, toRow } from "./Executions.ts";
import { type ExecutionState, foldCommits } from "./ExecutionState.ts";
import type { Commit } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { retry } from "./Retry.ts";

/** Brings the row of a state to the index; answers with it, or with nothing when the execution was not started. */
export const recordRow = Effect.fnUntraced(function* (executionId: string, state: ExecutionState) {
  const executions = yield* Executions;
  const row = toRow(executionId, state);
  if (row) yield* executions.record(row).pipe(retry({ baseMs: 50 }));
  return row;
});

/**
 * Brings the row that the history calls for to the index. The row of an ended child stays open, though, until somebody
 * has told its parent of the end: closed here, nobody would look again.
 */
export const reindexFrom = Effect.fnUntraced(function* (
  executionId: string,
  history: ReadonlyArray<Commit>,
) {
  const state = foldCommits(history);
  if (state.completed && state.started?.parent) {
    const executions = yield* Executions;
    const stored = yield* executions.find(executionId);
    if (stored && openStatuses.has(stored.status)) return stored;
  }
  return yield* recordRow(executionId, state);
});

/** Repairs the row of an execution from the journal; answers with it, or with nothing when it is unknown there. */
export const reindex = Effect.fn("reindex")(function* (executionId: string) {
  const journal = yield* Journal;
  return yield* reindexFrom(executionId, yield* askAgain(journal.load(executionId, 0)));
});
