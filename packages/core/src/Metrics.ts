/**
 * What the engine counts, as Effect's metrics: whoever runs it reads the registry of its context.
 *
 * Most of it is read from the execution when a run stops, so that nothing is counted while a body is at work.
 *
 * Counters tell of rates: what a process has counted is lost with it when it dies before its invocation has ended. What is
 * exact is the journal.
 *
 * Units:  counts; names that begin with `Bytes` are bytes, those that end in `Ms` histograms of milliseconds
 */
import { Effect, Metric, Schema } from "effect";
import type { Advanced } from "./ExecutionRunner.ts";
import { type ExecutionRow, statusOf } from "./Executions.ts";
import { type FailureClass, failureClassOf } from "./Failure.ts";
import type { ActivityCompleted } from "./HistoryEvent.ts";
import { isFailedResult } from "./WorkflowCodec.ts";

const counter = (name: string, description: string) =>
  Metric.counter(name, { description, incremental: true });

export const executionsStarted = counter("ExecutionsStarted", "executions made");
export const executionsCompleted = counter("ExecutionsCompleted", "executions that succeeded");
export const executionsFailed = counter("ExecutionsFailed", "executions that failed");
export const executionsSuspended = counter("ExecutionsSuspended", "runs that stopped to wait");
export const executionsParked = counter("ExecutionsParked", "executions that wait for a person");
export const runsYielded = counter("RunsYielded", "runs given up to the next process");
export const runsFenced = counter("RunsFenced", "runs that another process took over");
export const leasesMet = counter("LeasesMet", "requests that met another process's lease");
export const steps = counter("Steps", "attempts of activities that ended");
export const stepFailures = counter("StepFailures", "attempts of activities that failed");
export const appendConflicts = counter("AppendConflicts", "commits that another writer had first");
export const ownWritesRecovered = counter("OwnWritesRecovered", "own commits met by a retry");
export const divergences = counter("Divergences", "replays stopped because the code had changed");
export const forgottenExecutions = counter(
  "ForgottenExecutions",
  "executions that the sweeper woke",
);

/** Executions whose run before had died, and that a message of theirs ran on. */
export const executionsResumed = counter("ExecutionsResumed", "executions run on after a death");
/** Ends of executions that had ended as failed before. */
export const executionsRedriven = counter("ExecutionsRedriven", "ends after a redrive");

/** What was met for the first time: started, ignored or superseded. */
export const uploads = counter("Uploads", "events of objects that were new");
/** What messages come to beside runs, by their outcome. */
const outcomes: Readonly<Record<string, ReadonlyArray<Metric.Counter<number>>>> = {
  started: [uploads],
  joined: [counter("DuplicatesAbsorbed", "events whose execution was there already")],
  resumed: [executionsResumed],
  ignored: [uploads, counter("ObjectsIgnored", "events that the trigger does not take")],
  superseded: [uploads, counter("ObjectsSuperseded", "versions that came after a newer one")],
  "dead-lettered": [counter("DeadLetters", "messages that nobody can process")],
};

/** Counts a message's outcome, where it is one of those. */
export const countOutcome = (outcome: string): Effect.Effect<void> =>
  Effect.forEach(outcomes[outcome] ?? [], (counted) => Metric.update(counted, 1), {
    discard: true,
  });

export const files = counter("Files", "objects whose work was done");
export const rowsIn = counter("RowsIn", "rows read");
export const rowsOut = counter("RowsOut", "rows written");
export const rowsRejected = counter("RowsRejected", "rows that could not be read");
export const bytesIn = counter("BytesIn", "bytes read");
export const bytesOut = counter("BytesOut", "bytes written");

/** What was done for one object. */
export interface Work {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly rowsIn?: number;
  readonly rowsOut?: number;
  readonly rowsRejected?: number;
}

/** Counts the work of one object: at the end of the activity that does it, as often as it is done. */
export const countWork = Effect.fnUntraced(function* (work: Work) {
  yield* Metric.update(files, 1);
  yield* Metric.update(bytesIn, work.bytesIn);
  yield* Metric.update(bytesOut, work.bytesOut);
  yield* Metric.update(rowsIn, work.rowsIn ?? 0);
  yield* Metric.update(rowsOut, work.rowsOut ?? 0);
  yield* Metric.update(rowsRejected, work.rowsRejected ?? 0);
});

/** Attempts after the first, by the class of the failure that led to them. */
const retries: Readonly<Partial<Record<FailureClass, Metric.Counter<number>>>> = {
  transient: counter("RetriesTransient", "attempts after a transient failure"),
  throttled: counter("RetriesThrottled", "attempts after being throttled"),
  timeout: counter("RetriesTimeout", "attempts after a timeout"),
};

/** Counts an attempt that begins because of a failure. */
export const countRetry = (failure: unknown): Effect.Effect<void> => {
  const counted = retries[failureClassOf(failure)];
  return counted ? Metric.update(counted, 1) : Effect.void;
};

const gauge = (name: string, description: string) => Metric.gauge(name, { description });
/** Of the index, as the sweeper has just seen it. */
const inFlight = {
  running: gauge("InFlightRunning", "executions that run, or whose run has died"),
  suspended: gauge("InFlightSuspended", "executions that wait"),
  parked: gauge("InFlightParked", "executions that wait for a person"),
} as const;
const inFlightAll = gauge("InFlight", "executions that have not ended");
const oldestInFlightMs = gauge("OldestInFlightMs", "age of the oldest of them");

/** Sets the gauges of what is in flight, zeros included: nothing is a figure, too. */
export const gaugeInFlight = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Pick<ExecutionRow, "status" | "startedEpochMs">>,
  nowEpochMs: number,
) {
  for (const status of ["running", "suspended", "parked"] as const) {
    const count = rows.filter((row) => row.status === status).length;
    yield* Metric.update(inFlight[status], count);
  }
  yield* Metric.update(inFlightAll, rows.length);
  const oldestEpochMs = rows.reduce(
    (least, row) => Math.min(least, row.startedEpochMs),
    nowEpochMs,
  );
  yield* Metric.update(oldestInFlightMs, nowEpochMs - oldestEpochMs);
});

/** What the buckets and the executions say against each other, as the reconciler has just found it; nothing is a figure, too. */
export const conservationGap = gauge(
  "ConservationGap",
  "uploads without an execution, executions without their object, results without output, outputs without an end",
);

/** From 1 ms to about a quarter of an hour, each bound twice the one before. */
const boundaries = Array.from({ length: 21 }, (_, power) => 2 ** power);
export const stepMs = Metric.histogram("StepMs", { boundaries });
/** From the start of an execution to its end. */
export const executionMs = Metric.histogram("ExecutionMs", { boundaries });
/** From the event of an object, by its own time in whole seconds, to the end of its execution; redriven ones left out. */
export const endToEndMs = Metric.histogram("EndToEndMs", { boundaries });

const ObjectEvent = Schema.Struct({ object: Schema.Struct({ eventEpochMs: Schema.Finite }) });
const isObjectEvent = Schema.is(ObjectEvent);

/** Counts what became of a request; `created`: it made the execution. */
export const countRun = Effect.fnUntraced(function* (
  { advance, state }: Advanced,
  created: boolean,
) {
  if (created) yield* Metric.update(executionsStarted, 1);
  if (advance._tag === "Fenced") return yield* Metric.update(runsFenced, 1);
  if (advance._tag === "NotRun") {
    if (advance.reason._tag === "Leased") yield* Metric.update(leasesMet, 1);
    return;
  }
  yield* countSteps(state);
  switch (statusOf(state)) {
    case "completed":
      yield* Metric.update(executionsCompleted, 1);
      break;
    case "failed":
      yield* Metric.update(executionsFailed, 1);
      break;
    case "parked":
      return yield* Metric.update(executionsParked, 1);
    case "suspended":
      return yield* Metric.update(executionsSuspended, 1);
    // It was not suspended and has no lease: it yielded.
    case "running":
      return yield* Metric.update(runsYielded, 1);
  }
  const { completed, started } = state;
  if (!completed || !started) return;
  yield* Metric.update(executionMs, completed.atEpochMs - started.atEpochMs);
  if (state.redriveCount > 0) return yield* Metric.update(executionsRedriven, 1);
  if (!isObjectEvent(started.payload)) return;
  const { eventEpochMs } = started.payload.object;
  yield* Metric.update(endToEndMs, Math.max(0, completed.atEpochMs - eventEpochMs));
});

/** Steps of the last run: what ended since it began. */
const countSteps = Effect.fnUntraced(function* (state: Advanced["state"]) {
  const sinceEpochMs = state.run?.atEpochMs ?? 0;
  for (const event of state.activities.values()) {
    if (event.atEpochMs < sinceEpochMs || !isStep(event)) continue;
    yield* Metric.update(steps, 1);
    yield* Metric.update(stepMs, event.atEpochMs - event.startedAtEpochMs);
    if (isFailedResult(event.result)) yield* Metric.update(stepFailures, 1);
  }
});

/** The pause of a retry or of a short sleep is recorded like an activity, and is no step. */
const isStep = ({ name }: typeof ActivityCompleted.Type): boolean =>
  !name.startsWith("DurableClock/");
