/**
 * The facts of one execution, in the order in which they became true.
 *
 * The history is the only truth about an execution: its state is the fold of these events (see ExecutionState), and
 * nothing is decided from anything else. Events are past participles, never change once written, and stay readable
 * for ever: a released shape is extended with optional fields only.
 *
 * Units:  `…EpochMs` milliseconds since the Unix epoch
 * Shape:  `payload`, `result` and `exit` are JSON, encoded by the schemas of the workflow, activity or deferred
 */
import { Schema } from "effect";

/** The execution exists. The first event, but for deferreds that were completed before it. */
export const ExecutionStarted = Schema.TaggedStruct("ExecutionStarted", {
  workflow: Schema.String,
  /** The readable key from which the execution id was derived. */
  idempotencyKey: Schema.String,
  payload: Schema.Unknown,
  /** SHA-256 of what identifies the payload (all of it, by default); the same key with another payload is a conflict, never a join. */
  payloadHash: Schema.String,
  /** The execution that waits for this one, and is woken by its completion. */
  parent: Schema.optionalKey(
    Schema.Struct({ workflow: Schema.String, executionId: Schema.String }),
  ),
  atEpochMs: Schema.Finite,
});

/** A worker took the lease and began to run the body (over the history so far). */
export const RunStarted = Schema.TaggedStruct("RunStarted", {
  /** Names the process and the run; a run that meets another owner's RunStarted is fenced. */
  owner: Schema.String,
  codeVersion: Schema.String,
  leaseUntilEpochMs: Schema.Finite,
  atEpochMs: Schema.Finite,
});

/** An activity ended, with a success, a typed failure or a captured defect. */
export const ActivityCompleted = Schema.TaggedStruct("ActivityCompleted", {
  name: Schema.String,
  /** From 1; each attempt of `Activity.retry` is a fact of its own. */
  attempt: Schema.Finite,
  result: Schema.Unknown,
  startedAtEpochMs: Schema.Finite,
  atEpochMs: Schema.Finite,
});

/** A durable sleep began; the first deadline is the one that counts, whatever a later replay asks for. */
export const ClockScheduled = Schema.TaggedStruct("ClockScheduled", {
  name: Schema.String,
  /** The deferred that the timer completes. */
  deferred: Schema.String,
  wakeAtEpochMs: Schema.Finite,
  atEpochMs: Schema.Finite,
});

/** A deferred was completed, by a timer, by the run itself or from outside; the first completion wins. */
export const DeferredDone = Schema.TaggedStruct("DeferredDone", {
  name: Schema.String,
  exit: Schema.Unknown,
  atEpochMs: Schema.Finite,
});

/** Someone asked for the execution to be interrupted; takes effect where the run would suspend, or at once. */
export const InterruptRequested = Schema.TaggedStruct("InterruptRequested", {
  unsafe: Schema.Boolean,
  atEpochMs: Schema.Finite,
});

/** The run ended because the body waits for something that is not in the history yet. */
export const Suspended = Schema.TaggedStruct("Suspended", {
  result: Schema.Unknown,
  /** Parked by a failure (`SuspendOnFailure`): only an explicit resume runs it again. */
  failed: Schema.Boolean,
  atEpochMs: Schema.Finite,
});

/** The execution ended; always the last event. */
export const Completed = Schema.TaggedStruct("Completed", {
  result: Schema.Unknown,
  atEpochMs: Schema.Finite,
});

export const HistoryEvent = Schema.Union([
  ExecutionStarted,
  RunStarted,
  ActivityCompleted,
  ClockScheduled,
  DeferredDone,
  InterruptRequested,
  Suspended,
  Completed,
]);
export type HistoryEvent = typeof HistoryEvent.Type;

/**
 * One append to the journal: events that became true together, under the next free number of the execution.
 *
 * Shape:  `commit` counts from 1 without gaps; `writer` is unique to this append, so that a writer whose answer was
 *         lost recognises its own commit when the retry meets it
 */
export const Commit = Schema.Struct({
  executionId: Schema.String,
  commit: Schema.Int,
  writer: Schema.String,
  events: Schema.NonEmptyArray(HistoryEvent),
});
export type Commit = typeof Commit.Type;
