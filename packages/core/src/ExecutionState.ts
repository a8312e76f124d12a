/**
 * What is true of an execution: the fold of its history.
 *
 * `evolve` consumes the state that it is given (it changes it in place): a history of 10,000 events must cost the same
 * per event from the first to the last, and the engine never looks back at an older state.
 */
import type {
  ActivityCompleted,
  ClockScheduled,
  Commit,
  Completed,
  DeferredDone,
  ExecutionStarted,
  HistoryEvent,
  Paused,
  Redriven,
  RunStarted,
  Suspended,
  TraceContext,
} from "./HistoryEvent.ts";

export interface ExecutionState {
  /** Number of the last commit folded; 0 when nothing is stored. */
  commit: number;
  eventCount: number;
  runCount: number;
  /** Code version of the latest run. */
  codeVersion: string | undefined;
  /** Spans of the first and of the latest run that was traced. */
  firstTrace: TraceContext | undefined;
  trace: TraceContext | undefined;
  started: typeof ExecutionStarted.Type | undefined;
  /** The latest run; its owner holds the lease until `leaseUntilEpochMs`, or until it suspended or completed. */
  run: typeof RunStarted.Type | undefined;
  /** Since when nobody holds the lease, after a run that yielded or a redrive; unset while somebody does. */
  releasedAtEpochMs: number | undefined;
  /** Results by `activityKey`. */
  readonly activities: Map<string, typeof ActivityCompleted.Type>;
  readonly deferreds: Map<string, typeof DeferredDone.Type>;
  readonly clocks: Map<string, typeof ClockScheduled.Type>;
  /** Places of the facts above in the history, counted from 1. */
  readonly positions: Map<HistoryEvent, number>;
  /** How often an attempt was given up by a yield, by `activityKey`. */
  readonly yields: Map<string, number>;
  interrupt: "none" | "safe" | "unsafe";
  paused: typeof Paused.Type | undefined;
  redriveCount: number;
  /** Set while the execution waits: no run has started since. */
  suspended: typeof Suspended.Type | undefined;
  /** Place of the latest suspension in the history: its run has seen everything before it. */
  suspendedAt: number;
  completed: typeof Completed.Type | undefined;
}

/** The state of an execution of which nothing is stored. */
export const initialState = (): ExecutionState => ({
  commit: 0,
  eventCount: 0,
  runCount: 0,
  codeVersion: undefined,
  firstTrace: undefined,
  trace: undefined,
  started: undefined,
  run: undefined,
  releasedAtEpochMs: undefined,
  activities: new Map(),
  deferreds: new Map(),
  clocks: new Map(),
  positions: new Map(),
  yields: new Map(),
  interrupt: "none",
  paused: undefined,
  redriveCount: 0,
  suspended: undefined,
  suspendedAt: 0,
  completed: undefined,
});

/** Identity of an activity's attempt within an execution. */
export const activityKey = (name: string, attempt: number): string => `${attempt}/${name}`;

/** Folds one event. The first result, deadline and completion of a name count; later ones change nothing. */
export const evolve = (state: ExecutionState, event: HistoryEvent): void => {
  state.eventCount++;
  switch (event._tag) {
    case "ExecutionStarted":
      state.started ??= event;
      return;
    case "RunStarted":
      state.run = event;
      state.runCount++;
      state.codeVersion = event.codeVersion;
      state.firstTrace ??= event.trace;
      state.trace = event.trace ?? state.trace;
      state.releasedAtEpochMs = undefined;
      state.suspended = undefined;
      return;
    case "ActivityCompleted":
      setOnce(state, state.activities, activityKey(event.name, event.attempt), event);
      return;
    case "ClockScheduled":
      setOnce(state, state.clocks, event.name, event);
      return;
    case "DeferredDone":
      setOnce(state, state.deferreds, event.name, event);
      return;
    case "InterruptRequested":
      state.interrupt = event.unsafe || state.interrupt === "unsafe" ? "unsafe" : "safe";
      return;
    case "Paused":
      state.paused = event;
      return;
    case "Resumed":
      state.paused = undefined;
      return;
    case "Suspended":
      state.suspended = event;
      state.suspendedAt = state.eventCount;
      return;
    case "RunYielded":
      release(state, event.atEpochMs);
      if (event.toldToStop) return;
      for (const { attempt, name } of event.unfinished) {
        const key = activityKey(name, attempt);
        state.yields.set(key, (state.yields.get(key) ?? 0) + 1);
      }
      return;
    case "Redriven":
      redrive(state, event);
      return;
    case "Completed":
      state.completed ??= event;
      return;
  }
};

/** Folds stored commits, which must follow on the state's last one (a store's load guarantees it). */
export const evolveCommits = (state: ExecutionState, commits: ReadonlyArray<Commit>): void => {
  for (const commit of commits) {
    for (const event of commit.events) evolve(state, event);
    state.commit = commit.commit;
  }
};

/** The state after a whole history. */
export const foldCommits = (commits: ReadonlyArray<Commit>): ExecutionState => {
  const state = initialState();
  evolveCommits(state, commits);
  return state;
};

/** The lease is free again. */
const release = (state: ExecutionState, atEpochMs: number): void => {
  state.run = undefined;
  state.releasedAtEpochMs = atEpochMs;
};

const redrive = (state: ExecutionState, { atEpochMs, forget }: typeof Redriven.Type): void => {
  release(state, atEpochMs);
  state.redriveCount++;
  state.completed = undefined;
  state.suspended = undefined;
  state.paused = undefined;
  state.interrupt = "none";
  for (const { attempt, name } of forget.activities) {
    state.activities.delete(activityKey(name, attempt));
    state.yields.delete(activityKey(name, attempt));
  }
  for (const name of forget.clocks) state.clocks.delete(name);
  for (const name of forget.deferreds) state.deferreds.delete(name);
};

const setOnce = <E extends HistoryEvent>(
  state: ExecutionState,
  map: Map<string, E>,
  key: string,
  event: E,
): void => {
  if (map.has(key)) return;
  map.set(key, event);
  state.positions.set(event, state.eventCount);
};
