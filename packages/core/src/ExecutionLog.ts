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
import { Effect, Semaphore } from "effect";
import { askAgain } from "./askAgain.ts";
import { isFencedBy, revise } from "./Decision.ts";
import { type ExecutionState, evolve, evolveCommits } from "./ExecutionState.ts";
import type { HistoryEvent } from "./HistoryEvent.ts";
import type { Journal } from "./Journal.ts";
import type { AppendFailure, CommitTooLarge, LoadFailure } from "./JournalError.ts";

/** `stored`: all that was recorded is in the journal, or was overtaken. `fenced`: another owner runs the execution. */
export type FlushOutcome = "stored" | "fenced";

export type FlushFailure = LoadFailure | CommitTooLarge;

export interface ExecutionLog {
  readonly executionId: string;
  /** The stored history's fold. */
  readonly state: ExecutionState;
  readonly record: (...events: ReadonlyArray<HistoryEvent>) => void;
  /** The unstored event for which `is` holds, if any. */
  readonly findRecorded: <E extends HistoryEvent>(
    is: (event: HistoryEvent) => event is E,
  ) => E | undefined;
  readonly isFenced: () => boolean;
  /** Gives the log up: what is not stored is dropped, and nothing is appended any more. */
  readonly close: () => void;
  /** Whether others' facts overtook what the body had seen, so that it must run again; asking clears it. */
  readonly takeReplay: () => boolean;
  readonly needsReplay: () => boolean;
  readonly flush: Effect.Effect<FlushOutcome, FlushFailure>;
  /** What a flush stored, for those who act on stored facts (timers). */
  readonly onStored: (listener: (events: ReadonlyArray<HistoryEvent>) => void) => void;
}

/** Opens the log of an execution whose state has just been loaded. */
export const makeExecutionLog = (options: {
  readonly journal: Journal["Service"];
  readonly executionId: string;
  readonly owner: string;
  readonly state: ExecutionState;
  readonly nextWriter: () => string;
}): ExecutionLog => {
  const { executionId, journal, owner, state } = options;
  const semaphore = Semaphore.makeUnsafe(1);
  const listeners: Array<(events: ReadonlyArray<HistoryEvent>) => void> = [];
  let pending: Array<HistoryEvent> = [];
  let fenced = false;
  let replay = false;

  const append = (events: readonly [HistoryEvent, ...ReadonlyArray<HistoryEvent>]) =>
    askAgain(
      journal.append({
        executionId,
        commit: state.commit + 1,
        writer: options.nextWriter(),
        events,
      }),
    );

  const stored = (events: ReadonlyArray<HistoryEvent>): void => {
    for (const event of events) evolve(state, event);
    state.commit++;
    pending = pending.slice(events.length);
    for (const listener of listeners) listener(events);
  };

  /** Folds what others stored first, and revises what this run wanted to store. */
  const meetTail = Effect.gen(function* () {
    const tail = yield* askAgain(journal.load(executionId, state.commit));
    evolveCommits(state, tail);
    if (
      isFencedBy(
        owner,
        tail.flatMap((commit) => commit.events),
      )
    ) {
      fenced = true;
      pending = [];
      return;
    }
    const revision = revise(state, pending);
    pending = [...revision.events];
    replay ||= revision.replay;
  });

  const flushAll = Effect.gen(function* () {
    /** Halved when a commit is too large, so that only a single event can be refused for its size. */
    let eventsMax = Number.POSITIVE_INFINITY;
    while (!fenced) {
      const [first, ...rest] = pending.slice(0, eventsMax);
      if (!first) break;
      const failure: AppendFailure | undefined = yield* append([first, ...rest]).pipe(
        Effect.match({ onFailure: (error) => error, onSuccess: () => undefined }),
      );
      if (!failure) {
        stored([first, ...rest]);
      } else if (failure._tag === "JournalConflict") {
        yield* meetTail;
      } else if (failure._tag === "CommitTooLarge" && rest.length > 0) {
        eventsMax = Math.ceil((rest.length + 1) / 2);
      } else {
        return yield* failure;
      }
    }
    const outcome: FlushOutcome = fenced ? "fenced" : "stored";
    return outcome;
  });

  return {
    executionId,
    state,
    record: (...events) => {
      pending.push(...events);
    },
    findRecorded: (is) => pending.find(is),
    isFenced: () => fenced,
    close: () => {
      fenced = true;
      pending = [];
    },
    needsReplay: () => replay,
    takeReplay: () => {
      const taken = replay;
      replay = false;
      return taken;
    },
    // Uninterruptible: a flush cut off between the store's answer and the fold would leave the log behind its journal.
    flush: Effect.uninterruptible(semaphore.withPermits(1)(flushAll)),
    onStored: (listener) => {
      listeners.push(listener);
    },
  };
};
