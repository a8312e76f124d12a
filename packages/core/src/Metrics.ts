/**
 * What the engine counts, as Effect's metrics: whoever runs it reads the registry of its context.
 *
 * Most of it is read from the execution when a run stops, so that nothing is counted while a body is at work.
 *
 * Units:  counts; names that end in `Ms` are histograms of milliseconds
 */
import { Effect, Metric } from "effect";
import type { Advanced } from "./ExecutionRunner.ts";
import { statusOf } from "./Executions.ts";
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

/** What messages come to beside runs, by their outcome. */
const outcomes: Readonly<Record<string, Metric.Counter<number>>> = {
  joined: counter("DuplicatesAbsorbed", "events whose execution was there already"),
  ignored: counter("ObjectsIgnored", "events that the trigger does not take"),
  superseded: counter("ObjectsSuperseded", "versions that came after a newer one"),
  "dead-lettered": counter("DeadLetters", "messages that nobody can process"),
};

/** Counts a message's outcome, where it is one of those. */
export const countOutcome = (outcome: string): Effect.Effect<void> => {
  const counted = outcomes[outcome];
  return counted ? Metric.update(counted, 1) : Effect.void;
};

/** From 1 ms to about a quarter of an hour, each bound twice the one before. */
const boundaries = Array.from({ length: 21 }, (_, power) => 2 ** power);
export const stepMs = Metric.histogram("StepMs", { boundaries });
/** From the start of an execution to its end. */
export const executionMs = Metric.histogram("ExecutionMs", { boundaries });

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
  if (completed && started) {
    yield* Metric.update(executionMs, completed.atEpochMs - started.atEpochMs);
  }
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
