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
  RunStarted,
  Suspended,
} from "./HistoryEvent.ts";

export interface ExecutionState {
  /** Number of the last commit folded; 0 when nothing is stored. */
  commit: number;
  eventCount: number;
  runCount: number;
  started: typeof ExecutionStarted.Type | undefined;
  /** The latest run; its owner holds the lease until `leaseUntilEpochMs`, or until it suspended or completed. */
  run: typeof RunStarted.Type | undefined;
  /** Results by `activityKey`. */
  readonly activities: Map<string, typeof ActivityCompleted.Type>;
  readonly deferreds: Map<string, typeof DeferredDone.Type>;
  readonly clocks: Map<string, typeof ClockScheduled.Type>;
  interrupt: "none" | "safe" | "unsafe";
  /** Set while the execution waits: no run has started since. */
  suspended: typeof Suspended.Type | undefined;
  completed: typeof Completed.Type | undefined;
}

/** The state of an execution of which nothing is stored. */
export const initialState = (): ExecutionState => ({
  commit: 0,
  eventCount: 0,
  runCount: 0,
  started: undefined,
  run: undefined,
  activities: new Map(),
  deferreds: new Map(),
  clocks: new Map(),
  interrupt: "none",
  suspended: undefined,
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
      state.suspended = undefined;
      return;
    case "ActivityCompleted":
      setOnce(state.activities, activityKey(event.name, event.attempt), event);
      return;
    case "ClockScheduled":
      setOnce(state.clocks, event.name, event);
      return;
    case "DeferredDone":
      setOnce(state.deferreds, event.name, event);
      return;
    case "InterruptRequested":
      state.interrupt = event.unsafe || state.interrupt === "unsafe" ? "unsafe" : "safe";
      return;
    case "Suspended":
      state.suspended = event;
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

const setOnce = <A>(map: Map<string, A>, key: string, value: A): void => {
  if (!map.has(key)) map.set(key, value);
};
