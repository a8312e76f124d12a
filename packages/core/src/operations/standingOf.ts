/**
 * Where the execution stands that an event would start: the question behind every replay, backfill and reconciliation.
 *
 * A row that says "completed" is believed, because a success is the last thing that happens to an execution. Anything
 * else is read from the journal: rows may be late.
 */
import { Effect } from "effect";
import { Executions, statusOf } from "../Executions.ts";
import { loadState } from "../loadState.ts";
import { Journal } from "../Journal.ts";
import { retry } from "../Retry.ts";

/** `missing`: nobody has started it. */
export type Standing = "missing" | "underWay" | "finished" | "failed";

/** Where an execution stands now; costs reads only. */
export const standingOf = Effect.fnUntraced(function* (executionId: string) {
  const executions = yield* Executions;
  const row = yield* executions.find(executionId).pipe(retry({ baseMs: 50 }));
  if (row?.status === "completed") return "finished" satisfies Standing;
  const journal = yield* Journal;
  const state = yield* loadState(journal, executionId);
  const standing: Standing = !state.started
    ? "missing"
    : statusOf(state) === "completed"
      ? "finished"
      : statusOf(state) === "failed" || statusOf(state) === "parked"
        ? "failed"
        : "underWay";
  return standing;
});
