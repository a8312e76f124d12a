/**
 * The index of executions for people: one row each, a projection of the journal.
 *
 * Written once per invocation, forward only (a row never goes back to an older commit), and never read to decide
 * anything: a lost or late row is repaired by the next one, or from the journal.
 */
import { Context, type Effect, Schema } from "effect";
import type { ExecutionState } from "./ExecutionState.ts";

export const ExecutionStatus = Schema.Literals([
  "running",
  "suspended",
  "parked",
  "completed",
  "failed",
]);
export type ExecutionStatus = typeof ExecutionStatus.Type;

/** One execution, as `ls` shows it. */
export const ExecutionRow = Schema.Struct({
  executionId: Schema.String,
  workflow: Schema.String,
  /** The readable idempotency key: for an object's execution, the object and its version. */
  key: Schema.String,
  status: ExecutionStatus,
  /** The commit up to which the row tells. */
  commit: Schema.Int,
  /** Activities that ended, each attempt counted. */
  steps: Schema.Int,
  runs: Schema.Int,
  startedEpochMs: Schema.Finite,
  updatedEpochMs: Schema.Finite,
  /** JSON of the success or of the failure, once there is one. */
  result: Schema.optionalKey(Schema.Unknown),
});
export type ExecutionRow = typeof ExecutionRow.Type;

/** The index did not answer; nothing depends on it. */
export class IndexUnavailable extends Schema.TaggedError<IndexUnavailable>()("IndexUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect(),
}) {
  readonly failureClass = "transient";
  override get message(): string {
    return `the index of executions did not answer to ${this.operation}: try again later`;
  }
}

/** Which rows are wanted. */
export interface ExecutionQuery {
  readonly workflow?: string | undefined;
  readonly status?: ExecutionStatus | undefined;
  readonly rowsMax: number;
  /** Of an earlier page. */
  readonly cursor?: string | undefined;
}

/** One page of rows. */
export interface ExecutionPage {
  readonly rows: ReadonlyArray<ExecutionRow>;
  /** Give it back to get the next page; absent on the last. */
  readonly cursor: string | undefined;
}

export class Executions extends Context.Service<
  Executions,
  {
    readonly record: (row: ExecutionRow) => Effect.Effect<void, IndexUnavailable>;
    /** Newest first. */
    readonly list: (query: ExecutionQuery) => Effect.Effect<ExecutionPage, IndexUnavailable>;
    readonly find: (
      executionId: string,
    ) => Effect.Effect<ExecutionRow | undefined, IndexUnavailable>;
  }
>()("@millrace/core/Executions") {}

const CompletedResult = Schema.Struct({
  exit: Schema.Struct({
    _tag: Schema.Literals(["Success", "Failure"]),
    value: Schema.optionalKey(Schema.Unknown),
    cause: Schema.optionalKey(Schema.Unknown),
  }),
});
const isCompletedResult = Schema.is(CompletedResult);

/** Activities that ended; the pause of a retry or of a short sleep is recorded like one, and is no step. */
const countSteps = (state: ExecutionState): number =>
  [...state.activities.values()].filter(({ name }) => !name.startsWith("DurableClock/")).length;

/** The row that a state projects to; nothing for an execution that has not been started. */
export const toRow = (executionId: string, state: ExecutionState): ExecutionRow | undefined => {
  const { completed, started, suspended } = state;
  if (!started) return undefined;
  const end = isCompletedResult(completed?.result) ? completed.result.exit : undefined;
  const status: ExecutionStatus = completed
    ? end?._tag === "Success"
      ? "completed"
      : "failed"
    : suspended
      ? suspended.failed
        ? "parked"
        : "suspended"
      : "running";
  return {
    executionId,
    workflow: started.workflow,
    key: started.idempotencyKey,
    status,
    commit: state.commit,
    steps: countSteps(state),
    runs: state.runCount,
    startedEpochMs: started.atEpochMs,
    updatedEpochMs:
      (completed ?? suspended ?? state.run)?.atEpochMs ??
      state.releasedAtEpochMs ??
      started.atEpochMs,
    ...(end && { result: end._tag === "Success" ? end.value : end.cause }),
  };
};
