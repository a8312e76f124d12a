/**
 * One process's view of one execution while it runs it: the stored history, what is not stored yet, and the append
 * protocol between the two.
 *
 * - Events are `record`ed in memory and stored together by the next `flush`; concurrent flushes share one commit.
 * - A conflict reloads the tail and decides again (`revise`); a rival run means that this one is fenced: it appends
 *   nothing any more, runs no compensation, and is abandoned.
 * - A store that does not answer is asked again with the same commit and the same writer token, so that a write
 *   whose answer was lost is recognised as our own.
 */
import { Effect, Metric, Semaphore } from "effect";
import { askAgain } from "./askAgain.ts";
import { isFencedBy, revise } from "./Decision.ts";
import { activityKey, type ExecutionState, evolve, evolveCommits } from "./ExecutionState.ts";
import type { ActivityCompleted, HistoryEvent } from "./HistoryEvent.ts";
import type { Journal } from "./Journal.ts";
import { appendConflicts } from "./Metrics.ts";
import type { AppendFailure, CommitTooLarge, LoadFailure } from "./JournalError.ts";

/** `stored`: all that was recorded is in the journal, or was overtaken. `fenced`: another owner runs the execution. */
export type FlushOutcome = "stored" | "fenced";

export type FlushFailure = LoadFailure | CommitTooLarge;

export interface ExecutionLog {
  readonly executionId: string;
  /** The stored history's fold. */
  readonly state: ExecutionState;
  readonly record: (...events: ReadonlyArray<HistoryEvent>) => void;
  /** The result of an activity's attempt by `activityKey`, stored or not; in constant time, because replays ask for little else. */
  readonly findActivity: (key: string) => typeof ActivityCompleted.Type | undefined;
  /** The unstored event for which `is` holds, if any. */
  readonly findRecorded: <E extends HistoryEvent>(
    is: (event: HistoryEvent) => event is E,
  ) => E | undefined;
  /** How many events there are, stored and not stored yet. */
  readonly knownCount: () => number;
  readonly isFenced: () => boolean;
  /** Gives the log up: what is not stored is dropped, and nothing is appended any more. */
  readonly close: () => void;
  /** Whether others' facts overtook what the body had seen, so that it must run again; asking clears it. */
  readonly takeReplay: () => boolean;
  readonly needsReplay: () => boolean;
  /**
   * Whether others' facts were folded since this was last asked. The body may have looked for one of them before it
   * was there: a suspension that follows must look again, because those facts lie before it and wake nobody any more.
   */
  readonly takeArrivals: () => boolean;
  /** Stores what has been recorded until now. */
  readonly flush: Effect.Effect<FlushOutcome, FlushFailure>;
  /** What a flush stored, for those who act on stored facts (timers). */
  readonly onStored: (listener: (events: ReadonlyArray<HistoryEvent>) => void) => void;
}

interface LogOptions {
  readonly journal: Journal["Service"];
  readonly executionId: string;
  readonly owner: string;
  readonly state: ExecutionState;
  readonly nextWriter: () => string;
}

/** What is not in the journal yet, and whether this process may still put it there. */
interface Unstored {
  events: Array<HistoryEvent>;
  /** The results among them, by `activityKey`. */
  readonly activities: Map<string, typeof ActivityCompleted.Type>;
  /** How many events have ever been recorded here. */
  recorded: number;
  fenced: boolean;
  replay: boolean;
  arrivals: boolean;
  readonly listeners: Array<(events: ReadonlyArray<HistoryEvent>) => void>;
}

/** Opens the log of an execution whose state has just been loaded. */
export const makeExecutionLog = (options: LogOptions): ExecutionLog => {
  const semaphore = Semaphore.makeUnsafe(1);
  const unstored: Unstored = {
    events: [],
    activities: new Map(),
    recorded: 0,
    fenced: false,
    replay: false,
    arrivals: false,
    listeners: [],
  };
  return {
    executionId: options.executionId,
    state: options.state,
    record: (...events) => {
      for (const event of events) add(unstored, event);
      unstored.recorded += events.length;
    },
    findActivity: (key) => options.state.activities.get(key) ?? unstored.activities.get(key),
    findRecorded: (is) => unstored.events.find(is),
    knownCount: () => options.state.eventCount + unstored.events.length,
    isFenced: () => unstored.fenced,
    close: () => {
      unstored.fenced = true;
      replaceAll(unstored, []);
    },
    needsReplay: () => unstored.replay,
    takeReplay: () => {
      const taken = unstored.replay;
      unstored.replay = false;
      return taken;
    },
    takeArrivals: () => {
      const taken = unstored.arrivals;
      unstored.arrivals = false;
      return taken;
    },
    // Uninterruptible: a flush cut off between the store's answer and the fold would leave the log behind its journal.
    flush: Effect.suspend(() => {
      const upTo = unstored.recorded;
      if (!unstored.fenced && isStored(unstored, upTo)) return Effect.succeed("stored" as const);
      const flushed = semaphore.withPermits(1)(flushUpTo(options, unstored, upTo));
      // The others of a fan-out ask before the first of them is answered, even by a store that answers at once.
      return Effect.uninterruptible(Effect.andThen(Effect.yieldNow, flushed));
    }),
    onStored: (listener) => {
      unstored.listeners.push(listener);
    },
  };
};

/**
 * Appends until the first `upTo` recorded events are stored (or overtaken), or the right to append is lost.
 *
 * Whoever flushes depends on what was recorded when he asked, not on what others record while he waits: so a hundred
 * activities that are asked for together share the commit before them, and do not wait for each other's results.
 */
const flushUpTo = (options: LogOptions, unstored: Unstored, upTo: number) =>
  Effect.gen(function* () {
    /** Halved when a commit is too large, so that only a single event can be refused for its size. */
    let eventsMax = Number.POSITIVE_INFINITY;
    while (true) {
      const [first, ...rest] = unstored.events.slice(0, eventsMax);
      if (unstored.fenced) return "fenced" satisfies FlushOutcome;
      if (!first || isStored(unstored, upTo)) {
        return "stored" satisfies FlushOutcome;
      }
      const failure: AppendFailure | undefined = yield* append(options, [first, ...rest]).pipe(
        Effect.match({ onFailure: (error) => error, onSuccess: () => undefined }),
      );
      if (!failure) {
        stored(options.state, unstored, [first, ...rest]);
      } else if (failure._tag === "JournalConflict") {
        yield* meetTail(options, unstored);
      } else if (failure._tag === "CommitTooLarge" && rest.length > 0) {
        eventsMax = Math.ceil((rest.length + 1) / 2);
      } else {
        return yield* failure;
      }
    }
  });

/** Whether the first `upTo` recorded events are in the journal, or overtaken. */
const isStored = ({ events, recorded }: Unstored, upTo: number): boolean =>
  recorded - events.length >= upTo;

const keyOf = ({ attempt, name }: typeof ActivityCompleted.Type): string =>
  activityKey(name, attempt);

const add = (unstored: Unstored, event: HistoryEvent): void => {
  unstored.events.push(event);
  if (event._tag === "ActivityCompleted") unstored.activities.set(keyOf(event), event);
};

const replaceAll = (unstored: Unstored, events: ReadonlyArray<HistoryEvent>): void => {
  unstored.events = [];
  unstored.activities.clear();
  for (const event of events) add(unstored, event);
};

const append = (
  { executionId, journal, nextWriter, state }: LogOptions,
  events: readonly [HistoryEvent, ...ReadonlyArray<HistoryEvent>],
) =>
  askAgain(journal.append({ executionId, commit: state.commit + 1, writer: nextWriter(), events }));

const stored = (
  state: ExecutionState,
  unstored: Unstored,
  events: ReadonlyArray<HistoryEvent>,
): void => {
  for (const event of events) evolve(state, event);
  state.commit++;
  for (const event of unstored.events.splice(0, events.length)) {
    if (event._tag === "ActivityCompleted") unstored.activities.delete(keyOf(event));
  }
  for (const listener of unstored.listeners) listener(events);
};

/** Folds what others stored first, and revises what this run wanted to store. */
const meetTail = Effect.fnUntraced(function* (
  { executionId, journal, owner, state }: LogOptions,
  unstored: Unstored,
) {
  yield* Metric.update(appendConflicts, 1);
  const tail = yield* askAgain(journal.load(executionId, state.commit));
  evolveCommits(state, tail);
  const events = tail.flatMap((commit) => commit.events);
  if (isFencedBy(owner, events)) {
    unstored.fenced = true;
    replaceAll(unstored, []);
    return;
  }
  unstored.arrivals ||= events.length > 0;
  const revision = revise(state, unstored.events, events);
  replaceAll(unstored, revision.events);
  unstored.replay ||= revision.replay;
});
