/**
 * What follows from a state and a request: all branching of the engine, without any effect.
 *
 * Each decision is taken from the loaded history and nothing else. A decision is only an intention until its events
 * are in the journal under the next number; when the append conflicts, the tail is folded and the decision is taken
 * again.
 */
import { activityKey, type ExecutionState } from "./ExecutionState.ts";
import type { ClockScheduled, ExecutionStarted, HistoryEvent } from "./HistoryEvent.ts";
import { doneExit, isFailedResult } from "./WorkflowCodec.ts";

/** How strongly a run is asked for: a wake that something became true, or a person's resume or interrupt. */
export type WakeMode = "automatic" | "explicit";

/** What a process is asked to do with an execution. */
export type AdvanceRequest =
  | { readonly _tag: "Start"; readonly start: typeof ExecutionStarted.Type }
  | { readonly _tag: "Wake"; readonly mode: WakeMode }
  | { readonly _tag: "TimerDue"; readonly clock: string };

/** Why an execution is not run now. */
export type NotRun =
  | { readonly _tag: "Completed" }
  /** Parked by a failure; only an explicit resume may run it. */
  | { readonly _tag: "Parked" }
  /** Paused by a person; what the request brought is kept. */
  | { readonly _tag: "Paused" }
  /** Suspended, and the request brought nothing new: a repeated start must not replay what waits. */
  | { readonly _tag: "Waiting" }
  /** Another owner's lease is alive: it, or whoever comes after the lease, makes the progress. */
  | { readonly _tag: "Leased"; readonly leaseUntilEpochMs: number }
  /** The execution was started with another payload under the same idempotency key. */
  | { readonly _tag: "PayloadConflict" }
  /** Nothing is stored under this id: there is nothing to run. */
  | { readonly _tag: "Unknown" };

export interface AdvanceDecision {
  readonly run: { readonly _tag: "Run" } | NotRun;
  /** Facts that the request brought, to be stored whether the body runs or not. */
  readonly facts: ReadonlyArray<HistoryEvent>;
  /** Stored timers to be asked for once more: the first request may be lost, or came early. */
  readonly timers: ReadonlyArray<typeof ClockScheduled.Type>;
}

interface Asking {
  readonly owner: string;
  readonly nowEpochMs: number;
}

/** What to do with the execution on this request. */
export const decideAdvance = (
  state: ExecutionState,
  request: AdvanceRequest,
  asking: Asking,
): AdvanceDecision => {
  const decision = decideRequest(state, request, asking);
  return decision.run._tag === "Run" && standsStill(state)
    ? { ...decision, run: { _tag: "Paused" } }
    : decision;
};

/** Whether a pause keeps the execution from being run. Who wants it to end need not resume it first. */
export const standsStill = ({ interrupt, paused }: ExecutionState): boolean =>
  paused !== undefined && interrupt === "none";

const decideRequest = (
  state: ExecutionState,
  request: AdvanceRequest,
  asking: Asking,
): AdvanceDecision => {
  switch (request._tag) {
    case "Start":
      return decideStart(state, request.start, asking);
    case "Wake":
      return { run: decideRun(state, request.mode, asking), facts: [], timers: [] };
    case "TimerDue":
      return decideTimerDue(state, request.clock, asking);
  }
};

const decideStart = (
  state: ExecutionState,
  start: typeof ExecutionStarted.Type,
  asking: Asking,
): AdvanceDecision => {
  if (!state.started) return { run: { _tag: "Run" }, facts: [start], timers: [] };
  const nothing = { facts: [], timers: [] };
  if (state.started.payloadHash !== start.payloadHash) {
    return { run: { _tag: "PayloadConflict" }, ...nothing };
  }
  if (!state.suspended || state.completed) {
    return { run: decideRun(state, "automatic", asking), ...nothing };
  }
  // The process that stored the suspension may have died before it asked for its timers.
  const timers = [...state.clocks.values()].filter((clock) => !state.deferreds.has(clock.deferred));
  return { run: { _tag: "Waiting" }, facts: [], timers };
};

const decideTimerDue = (state: ExecutionState, name: string, asking: Asking): AdvanceDecision => {
  const clock = state.clocks.get(name);
  if (!clock) {
    const run = state.started ? ({ _tag: "Waiting" } as const) : ({ _tag: "Unknown" } as const);
    return { run, facts: [], timers: [] };
  }
  const isAwaited = !state.completed && acceptsDeferred(state, clock.deferred);
  // One more message of a timer that has done its work: run for it, the body would ask for its other timers once more,
  // and with several of them the messages would never end.
  const isSeen = state.suspended !== undefined && state.eventCount === state.suspendedAt;
  if (!isAwaited && isSeen) return { run: { _tag: "Waiting" }, facts: [], timers: [] };
  if (isAwaited && clock.wakeAtEpochMs > asking.nowEpochMs) {
    return { run: { _tag: "Waiting" }, facts: [], timers: [clock] };
  }
  return {
    run: decideRun(state, "automatic", asking),
    facts: isAwaited
      ? [
          {
            _tag: "DeferredDone",
            name: clock.deferred,
            exit: doneExit,
            atEpochMs: asking.nowEpochMs,
          },
        ]
      : [],
    timers: [],
  };
};

/** May a run begin now? */
const decideRun = (
  state: ExecutionState,
  mode: WakeMode,
  asking: Asking,
): AdvanceDecision["run"] => {
  if (!state.started) return { _tag: "Unknown" };
  if (state.completed) return { _tag: "Completed" };
  if (state.suspended) {
    return state.suspended.failed && mode === "automatic" ? { _tag: "Parked" } : { _tag: "Run" };
  }
  const lease = state.run;
  return lease && lease.owner !== asking.owner && lease.leaseUntilEpochMs > asking.nowEpochMs
    ? { _tag: "Leased", leaseUntilEpochMs: lease.leaseUntilEpochMs }
    : { _tag: "Run" };
};

/**
 * Whether a completion of the deferred changes anything: the first one wins, and an ended execution waits no more. One
 * that failed may be redriven and wait again, for something that nobody will send twice.
 */
export const acceptsDeferred = (state: ExecutionState, name: string): boolean =>
  !isEnded(state) && !state.deferreds.has(name);

const isEnded = ({ completed }: ExecutionState): boolean =>
  completed !== undefined && !isFailedResult(completed.result);

/** Whether a request to interrupt changes anything. */
export const acceptsInterrupt = (state: ExecutionState, unsafe: boolean): boolean =>
  state.started !== undefined &&
  !state.completed &&
  (state.interrupt === "none" || (unsafe && state.interrupt === "safe"));

/** Whether a pause changes anything. */
export const acceptsPause = (state: ExecutionState): boolean =>
  state.started !== undefined && !state.completed && !state.paused;

/**
 * Whether the events that another writer stored first end the right of `owner` to append.
 *
 * Outside facts (a deferred, an interrupt request) do not: they are folded and the run goes on. A rival start or run
 * does, and so does a stop that somebody else wrote.
 */
export const isFencedBy = (owner: string, tail: ReadonlyArray<HistoryEvent>): boolean =>
  tail.some(
    (event) =>
      event._tag === "Completed" ||
      event._tag === "Suspended" ||
      event._tag === "Redriven" ||
      event._tag === "ExecutionStarted" ||
      (event._tag === "RunStarted" && event.owner !== owner),
  );

/** What is left of the events that a run wanted to store, after others' facts came first. */
export interface Revision {
  readonly events: ReadonlyArray<HistoryEvent>;
  /** The body has seen something that is no longer so (or may go on): it must run again over the new history. */
  readonly replay: boolean;
}

/**
 * Takes the decision again for a run's unstored events, once `state` holds what others stored first: `tail`.
 */
export const revise = (
  state: ExecutionState,
  pending: ReadonlyArray<HistoryEvent>,
  tail: ReadonlyArray<HistoryEvent>,
): Revision => {
  let replay = false;
  const metResults = tail.some(({ _tag }) => _tag === "ActivityCompleted");
  const overtaken = (): false => {
    replay = true;
    return false;
  };
  const events = pending.filter((event) => {
    switch (event._tag) {
      // What arrived may be what the body waits for: a suspension now would lose that wake.
      case "Suspended":
        return overtaken();
      // A result of the run before that this body did not see: it may have to be undone.
      case "Completed":
        return (state.interrupt !== "unsafe" && !metResults) || overtaken();
      case "DeferredDone":
        return acceptsDeferred(state, event.name) || overtaken();
      // Another run's result or deadline was first, and is the one that counts: the body must see that one.
      case "ActivityCompleted":
        return !state.activities.has(activityKey(event.name, event.attempt)) || overtaken();
      case "ClockScheduled":
        return !state.clocks.has(event.name) || overtaken();
      default:
        return true;
    }
  });
  return { events, replay };
};
