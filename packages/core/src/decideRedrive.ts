/**
 * From where a failed execution goes on: which of its facts are to be as if they had not been recorded.
 *
 *  - What failed last, and what failed side by side with it, is forgotten with all attempts and their pauses.
 *  - A failure that was there before the last failed step began did not end the body, which had caught it: it stays.
 *  - What began after the failure (a fallback, a notification, a sleep) is forgotten, too: it may not be needed now.
 *  - Successes from before stay, those of siblings that ran beside the failing step's retries included. So do the
 *    successes that came from outside, whenever they came: nobody will send them again.
 *  - The launches of a failed task, and the waits for their ends, go with it: what is redriven is launched anew.
 *  - Who told of the failure is forgotten, and tells again when the execution fails again.
 *  - Steps whose work was taken back are forgotten: what they recorded is not there any more.
 *
 * Where a body failed by itself nothing is forgotten, and it simply runs again.
 */
import { Result } from "effect";
import { ExecutionCompensated, ExecutionUnknown, NotFailed } from "./ExecutionRefusal.ts";
import { statusOf } from "./Executions.ts";
import { type ExecutionState, foldCommits } from "./ExecutionState.ts";
import {
  begunAfterOf,
  childDeferred,
  type FailedFact,
  failedActivities,
  failedDeferreds,
  placeOf,
} from "./failedFacts.ts";
import type { Commit, HistoryEvent, Redriven } from "./HistoryEvent.ts";
import { pauseName } from "./Retry.ts";
import { isPartOf } from "./task/TaskAddress.ts";

export interface RedriveRequest {
  readonly executionId: string;
  readonly reason: string;
  readonly atEpochMs: number;
  /** Ids of the children that the execution was told of and that have not succeeded. */
  readonly failedChildren: ReadonlySet<string>;
}

export interface Redrive {
  readonly event: typeof Redriven.Type;
  /** Those of the failed children that have to be redriven first. */
  readonly children: ReadonlyArray<string>;
}

export type RedriveRefusal = ExecutionUnknown | NotFailed | ExecutionCompensated;

/** The event that makes the execution go on, or why it may not. */
export const decideRedrive = (
  history: ReadonlyArray<Commit>,
  request: RedriveRequest,
): Result.Result<Redrive, RedriveRefusal> => {
  const { executionId } = request;
  const state = foldCommits(history);
  if (!state.started) return Result.fail(new ExecutionUnknown({ executionId }));
  const status = statusOf(state);
  if (status !== "failed" && status !== "parked") {
    return Result.fail(new NotFailed({ executionId, status }));
  }
  const compensations = [...state.activities.values()].flatMap(({ name, role }) =>
    role === "compensation" ? [name] : [],
  );
  if (compensations.length > 0) {
    return Result.fail(new ExecutionCompensated({ executionId, compensations }));
  }
  const events = history.flatMap((commit) => commit.events);
  const failed = failuresToForget(state, events, request.failedChildren);
  return Result.succeed({
    event: {
      _tag: "Redriven",
      reason: request.reason,
      forget: forgetting(state, failed),
      atEpochMs: request.atEpochMs,
    },
    children: [...request.failedChildren].filter((id) =>
      failed.some(({ kind, name }) => kind === "deferred" && name === childDeferred(id)),
    ),
  });
};

/** The last failure, and those that were not there yet when it began. */
const failuresToForget = (
  state: ExecutionState,
  history: ReadonlyArray<HistoryEvent>,
  failedChildren: ReadonlySet<string>,
): ReadonlyArray<FailedFact> => {
  const all = [
    ...failedActivities(state),
    ...failedDeferreds(state, history, new Set([...failedChildren].map(childDeferred))),
  ].toSorted((a, b) => a.failedAt - b.failedAt);
  const last = all.at(-1);
  return last ? all.filter(({ failedAt }) => failedAt > last.begunAfter) : [];
};

/** Everything that has to go with the failures. */
const forgetting = (
  state: ExecutionState,
  failed: ReadonlyArray<FailedFact>,
): (typeof Redriven.Type)["forget"] => {
  const failedSteps = namesOf(failed, "activity");
  /** From here on whatever began may have begun because of a failure. */
  const cut = Math.min(...failed.map(({ failedAt }) => failedAt));
  const attempts = [...state.activities.values()];
  const undone = new Set(attempts.flatMap(({ undoes = [] }) => undoes));
  const isForgotten = ({ name, role }: { readonly name: string; readonly role?: string }) =>
    role === "failure-handler" ||
    failedSteps.has(name) ||
    isPartOf(failedSteps, name) ||
    undone.has(name);
  const pauses = new Set(
    attempts.filter(isForgotten).map(({ attempt, name }) => pauseName(name, attempt + 1)),
  );
  const activities = attempts.filter(
    (event) =>
      isForgotten(event) ||
      pauses.has(event.name.replace(/^DurableClock\//, "")) ||
      begunAfterOf(state, event) >= cut,
  );
  const clocks = [...state.clocks.values()].filter(
    (event) =>
      pauses.has(event.name) || isPartOf(failedSteps, event.name) || placeOf(state, event) > cut,
  );
  const deferreds = new Set([
    ...namesOf(failed, "deferred"),
    ...clocks.map(({ deferred }) => deferred).filter((name) => state.deferreds.has(name)),
  ]);
  return {
    activities: activities.map(({ attempt, name }) => ({ name, attempt })),
    clocks: clocks.map(({ name }) => name),
    deferreds: [...deferreds],
  };
};

const namesOf = (failed: ReadonlyArray<FailedFact>, kind: FailedFact["kind"]) =>
  new Set(failed.filter((fact) => fact.kind === kind).map(({ name }) => name));
