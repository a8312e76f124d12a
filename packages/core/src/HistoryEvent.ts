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
  /** The workflow's version (see WorkflowVersion) when the execution began; absent: 1. */
  version: Schema.optionalKey(Schema.Int),
  /** The execution whose first `event` events were copied before this one was started with a payload of its own. */
  forkedFrom: Schema.optionalKey(Schema.Struct({ executionId: Schema.String, event: Schema.Int })),
  /** The execution that waits for this one, and is woken by its completion. */
  parent: Schema.optionalKey(
    Schema.Struct({ workflow: Schema.String, executionId: Schema.String }),
  ),
  atEpochMs: Schema.Finite,
});

/** A span, by the ids of the W3C's trace context. */
export const TraceContext = Schema.Struct({ traceId: Schema.String, spanId: Schema.String });
export type TraceContext = typeof TraceContext.Type;

/** A worker took the lease and began to run the body (over the history so far). */
export const RunStarted = Schema.TaggedStruct("RunStarted", {
  /** Names the process and the run; a run that meets another owner's RunStarted is fenced. */
  owner: Schema.String,
  codeVersion: Schema.String,
  leaseUntilEpochMs: Schema.Finite,
  /** The span of the run, where runs are traced: the next one links to it. */
  trace: Schema.optionalKey(TraceContext),
  atEpochMs: Schema.Finite,
});

/**
 * `compensation`: it ran after the body had ended, to undo or to clean up. `failure-handler`: it tells of a failure
 * (a dead letter, a quarantine), and has to tell again when a redriven execution fails again.
 */
export const ActivityRole = Schema.Literals(["compensation", "failure-handler"]);
export type ActivityRole = typeof ActivityRole.Type;

/** An activity ended, with a success, a typed failure or a captured defect. */
export const ActivityCompleted = Schema.TaggedStruct("ActivityCompleted", {
  name: Schema.String,
  /** From 1; each attempt of `Activity.retry` is a fact of its own. */
  attempt: Schema.Finite,
  result: Schema.Unknown,
  /** How many events were stored when it began: what it can depend on lies among them. */
  startedAfter: Schema.optionalKey(Schema.Int),
  /** What part it had in the story; absent: a step of the body. */
  role: Schema.optionalKey(ActivityRole),
  /** Names of the steps whose work it took back (see Undoes). */
  undoes: Schema.optionalKey(Schema.Array(Schema.String)),
  startedAtEpochMs: Schema.Finite,
  atEpochMs: Schema.Finite,
});

/** A durable sleep began; the first deadline is the one that counts, whatever a later replay asks for. */
export const ClockScheduled = Schema.TaggedStruct("ClockScheduled", {
  name: Schema.String,
  /** The deferred that the timer completes. */
  deferred: Schema.String,
  wakeAtEpochMs: Schema.Finite,
  /** An activity sleeps, not the body: a replay asks for the sleep only when it runs that activity again. */
  inActivity: Schema.optionalKey(Schema.Literal(true)),
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

/** Someone wants the execution to stand still: facts are kept as they come, and its body is not run. */
export const Paused = Schema.TaggedStruct("Paused", {
  reason: Schema.String,
  atEpochMs: Schema.Finite,
});

/** It may run again. */
export const Resumed = Schema.TaggedStruct("Resumed", { atEpochMs: Schema.Finite });

/** The run ended because the body waits for something that is not in the history yet. */
export const Suspended = Schema.TaggedStruct("Suspended", {
  result: Schema.Unknown,
  /** Parked by a failure (`SuspendOnFailure`): only an explicit resume runs it again. */
  failed: Schema.Boolean,
  atEpochMs: Schema.Finite,
});

/** The process came near its end and gave the run up to the next one: a checkpoint, not a failure. */
export const RunYielded = Schema.TaggedStruct("RunYielded", {
  owner: Schema.String,
  /** Not its time was over, it was told to stop: that says nothing of the activities that were running. */
  toldToStop: Schema.optionalKey(Schema.Boolean),
  /** Attempts that were running and begin anew. */
  unfinished: Schema.Array(Schema.Struct({ name: Schema.String, attempt: Schema.Finite })),
  atEpochMs: Schema.Finite,
});

/**
 * An execution that had failed, or was parked, is to go on from its failed step. Nothing is removed from the history:
 * what is named here is as if it had not been recorded, and will be recorded again.
 */
export const Redriven = Schema.TaggedStruct("Redriven", {
  /** Who or what asked for it. */
  reason: Schema.String,
  forget: Schema.Struct({
    activities: Schema.Array(Schema.Struct({ name: Schema.String, attempt: Schema.Finite })),
    clocks: Schema.Array(Schema.String),
    deferreds: Schema.Array(Schema.String),
  }),
  atEpochMs: Schema.Finite,
});

/** The execution ended; the last event of a success. After a failure, signals may still come, and a redrive. */
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
  Paused,
  Resumed,
  Suspended,
  RunYielded,
  Redriven,
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
