/**
 * The index of executions for people: one row each, a projection of the journal.
 *
 * Written once per invocation, forward only (a row never goes back to an older commit), and never read to decide
 * anything: a lost or late row is repaired by the next one, or from the journal.
 */
import { Context, type Effect, Schema } from "effect";
import { causeOf, describeCause, isSuccess, memberOf } from "./EncodedExit.ts";
import { errorFingerprint } from "./errorFingerprint.ts";
import type { ExecutionPage, ExecutionQuery, InvalidCursor } from "./ExecutionQuery.ts";
import type { ExecutionState } from "./ExecutionState.ts";
import { failedActivities } from "./failedFacts.ts";
import {
  rowKeyCharactersMax,
  rowMessageCharactersMax,
  rowObjectBytesMax,
  rowResultBytesMax,
  rowTagCharactersMax,
} from "./Limits.ts";

export const ExecutionStatus = Schema.Literals([
  "running",
  "suspended",
  "parked",
  "completed",
  "failed",
]);
export type ExecutionStatus = typeof ExecutionStatus.Type;

/** Of executions that may have to move; a parked one may hold a lost request to interrupt. */
export const openStatuses: ReadonlySet<ExecutionStatus> = new Set([
  "running",
  "suspended",
  "parked",
]);

/** Of executions that a failure has stopped. */
export const failureStatuses: ReadonlySet<ExecutionStatus> = new Set(["failed", "parked"]);

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
  /** The result is too large for a row; `show` has it. */
  resultOmitted: Schema.optionalKey(Schema.Literal(true)),
  /** `bucket/key` of the object that the execution is about. */
  object: Schema.optionalKey(Schema.String),
  /** Of what failed or parked it. */
  errorTag: Schema.optionalKey(Schema.String),
  errorMessage: Schema.optionalKey(Schema.String),
  /** Equal for failures of the same kind (see errorFingerprint). */
  errorFingerprint: Schema.optionalKey(Schema.String),
  /** Id of the execution that it is a fork of. */
  forkedFrom: Schema.optionalKey(Schema.String),
  /** Since when it is paused. */
  pausedSinceEpochMs: Schema.optionalKey(Schema.Finite),
  /** How often it was redriven; absent: never. */
  redrives: Schema.optionalKey(Schema.Int),
});
export type ExecutionRow = typeof ExecutionRow.Type;

/**
 * Whether a row tells of more than another of the same execution: of a later commit, or of one redrive more. A redrive is
 * entered before its fact is stored, and the row of the failure before it may still be on its way.
 */
export const isLater = (row: ExecutionRow, than: ExecutionRow): boolean =>
  row.commit > than.commit ||
  (row.commit === than.commit && (row.redrives ?? 0) > (than.redrives ?? 0));

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

export class Executions extends Context.Service<
  Executions,
  {
    /**
     * Stores the row unless a later one is there (`isLater`). `instead`: a row that announced what never came to pass, and
     * may be replaced all the same as long as it is the one that is there.
     */
    readonly record: (
      row: ExecutionRow,
      instead?: ExecutionRow,
    ) => Effect.Effect<void, IndexUnavailable>;
    /** Newest first; rows may be as old as the index is late. */
    readonly list: (
      query: ExecutionQuery,
    ) => Effect.Effect<ExecutionPage, IndexUnavailable | InvalidCursor>;
    readonly find: (
      executionId: string,
    ) => Effect.Effect<ExecutionRow | undefined, IndexUnavailable>;
  }
>()("@millrace/core/Executions") {}

/** Activities that ended; the pause of a retry or of a short sleep is recorded like one, and is no step. */
const countSteps = (state: ExecutionState): number =>
  [...state.activities.values()].filter(({ name }) => !name.startsWith("DurableClock/")).length;

/** Where an execution that has been started stands. */
export const statusOf = ({ completed, suspended }: ExecutionState): ExecutionStatus => {
  if (completed) return isSuccess(completed.result) ? "completed" : "failed";
  if (suspended) return suspended.failed ? "parked" : "suspended";
  return "running";
};

const ObjectPayload = Schema.Struct({
  object: Schema.Struct({ bucket: Schema.String, key: Schema.String }),
});
const isObjectPayload = Schema.is(ObjectPayload);

/** The object that a payload is about, as `bucket/key`; a text that no index could hold is none. */
const objectOf = (payload: unknown): { readonly object?: string } => {
  if (!isObjectPayload(payload)) return {};
  const object = `${payload.object.bucket}/${payload.object.key}`;
  return Buffer.byteLength(object) <= rowObjectBytesMax ? { object } : {};
};

/** Tag, message and fingerprint of what ended or parked the execution. */
const failureOf = (state: ExecutionState, workflow: string): Partial<ExecutionRow> => {
  const stop = state.completed ?? state.suspended;
  const [failure] = describeCause(causeOf(stop?.result));
  if (!failure) return {};
  const { message, tag } = failure;
  const activity = failedActivities(state).at(-1)?.name;
  return {
    errorTag: cut(tag, rowTagCharactersMax),
    errorMessage: cut(message, rowMessageCharactersMax),
    errorFingerprint: errorFingerprint({ workflow, tag, activity, message }),
  };
};

const cut = (text: string, charactersMax: number): string =>
  text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;

/** The success or the cause, unless it is too large for a row. */
const resultOf = ({ completed }: ExecutionState): Partial<ExecutionRow> => {
  const exit = memberOf(completed?.result, "exit");
  if (exit === undefined) return {};
  const result = isSuccess(exit) ? memberOf(exit, "value") : memberOf(exit, "cause");
  if (result === undefined) return {};
  return Buffer.byteLength(JSON.stringify(result)) <= rowResultBytesMax
    ? { result }
    : { resultOmitted: true };
};

/** The row that a state projects to; nothing for an execution that has not been started. */
export const toRow = (executionId: string, state: ExecutionState): ExecutionRow | undefined => {
  const { completed, started, suspended } = state;
  if (!started) return undefined;
  const status = statusOf(state);
  return {
    executionId,
    workflow: started.workflow,
    key: cut(started.idempotencyKey, rowKeyCharactersMax),
    status,
    commit: state.commit,
    steps: countSteps(state),
    runs: state.runCount,
    startedEpochMs: started.atEpochMs,
    updatedEpochMs:
      (completed ?? suspended ?? state.run)?.atEpochMs ??
      state.releasedAtEpochMs ??
      started.atEpochMs,
    ...resultOf(state),
    ...objectOf(started.payload),
    ...((status === "failed" || status === "parked") && failureOf(state, started.workflow)),
    ...(started.forkedFrom && { forkedFrom: started.forkedFrom.executionId }),
    ...(state.paused && !completed && { pausedSinceEpochMs: state.paused.atEpochMs }),
    ...(state.redriveCount > 0 && { redrives: state.redriveCount }),
  };
};
