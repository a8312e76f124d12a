/**
 * What failed in an execution: the steps and the completions that its history holds as failures, and nothing else.
 *
 * A step has failed when none of its attempts succeeded. Who tells of a failure (a dead letter) and who undoes
 * (a compensation) is no step.
 */
import { isFailure } from "./EncodedExit.ts";
import type { ExecutionState } from "./ExecutionState.ts";
import type { ActivityCompleted, HistoryEvent } from "./HistoryEvent.ts";

/** Places are those of the history's events, counted from 1. */
export interface FailedFact {
  readonly kind: "activity" | "deferred";
  readonly name: string;
  /** Where its last failure stands. */
  readonly failedAt: number;
  /** How many events were there when it first began: a failure among them was no reason for the body to end. */
  readonly begunAfter: number;
}

/** The deferred by which a child's end is told to its parent. */
export const childDeferred = (executionId: string): string => `${childPrefix}${executionId}`;
const childPrefix = "Child/";

/** Ids of the children whose end the execution was told of. */
export const toldChildren = (state: ExecutionState): ReadonlyArray<string> =>
  [...state.deferreds.keys()]
    .filter((name) => name.startsWith(childPrefix))
    .map((name) => name.slice(childPrefix.length));

/** Where an activity began; of a history that did not record it, as late as it can have been. */
export const begunAfterOf = (state: ExecutionState, event: typeof ActivityCompleted.Type): number =>
  event.startedAfter ?? placeOf(state, event) - 1;

/** Where a fact stands in the history. */
export const placeOf = (state: ExecutionState, event: HistoryEvent): number =>
  state.positions.get(event) ?? 0;

/** The steps that failed, each with all its attempts, the latest failure last. */
export const failedActivities = (state: ExecutionState): ReadonlyArray<FailedFact> =>
  [...Map.groupBy(state.activities.values(), ({ name }) => name)]
    .filter(([, attempts]) =>
      attempts.every(({ result, role }) => role === undefined && isFailure(result)),
    )
    .map(([name, attempts]) => ({
      kind: "activity" as const,
      name,
      failedAt: Math.max(...attempts.map((attempt) => placeOf(state, attempt))),
      begunAfter: Math.min(...attempts.map((attempt) => begunAfterOf(state, attempt))),
    }))
    .toSorted((a, b) => a.failedAt - b.failedAt);

/**
 * The deferreds that were completed with a failure, and the named ones of children that did not succeed.
 *
 * Where the wait for one began is not recorded. The body had gone on at the latest sign of it before the completion: a
 * step that began, a sleep, a suspension.
 */
export const failedDeferreds = (
  state: ExecutionState,
  history: ReadonlyArray<HistoryEvent>,
  ofChildren: ReadonlySet<string>,
): ReadonlyArray<FailedFact> => {
  const failed = [...state.deferreds.values()].filter(
    ({ exit, name }) => isFailure(exit) || ofChildren.has(name),
  );
  if (failed.length === 0) return [];
  const signs = [
    ...[...state.activities.values()].map((event) => begunAfterOf(state, event)),
    ...[...state.clocks.values()].map((event) => placeOf(state, event)),
    ...history.flatMap(({ _tag }, index) => (_tag === "Suspended" ? [index + 1] : [])),
  ];
  return failed.map((event) => {
    const failedAt = placeOf(state, event);
    const before = signs.filter((sign) => sign < failedAt);
    return {
      kind: "deferred" as const,
      name: event.name,
      failedAt,
      begunAfter: Math.max(0, ...before),
    };
  });
};
