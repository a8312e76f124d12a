/**
 * What a fork is made of: the facts among the first events of a history, and a start with a payload of its own.
 *
 * The fork is what its original was after that event: facts that a redrive had made void by then are not copied, nor
 * are those who told of a failure (the fork tells of its own), nor what only concerned the original's runs.
 *
 * Told ends of children are not copied. Such a fact only says "look again"; the result is read from the child, which the
 * fork asks for like its original did: with the same payload it is the same execution, which answers at once when it
 * has ended, and with another payload it is another.
 *
 * The start comes last: a fork that is copied half is unknown to whoever is asked to run it.
 */
import { Result } from "effect";
import { canonicalHash } from "./CanonicalJson.ts";
import { ExecutionCompensated, ExecutionUnknown, ForkPointUnknown } from "./ExecutionRefusal.ts";
import { evolve, type ExecutionState, initialState } from "./ExecutionState.ts";
import { childDeferred, placeOf } from "./failedFacts.ts";
import type {
  ActivityCompleted,
  ClockScheduled,
  Commit,
  DeferredDone,
  ExecutionStarted,
  HistoryEvent,
} from "./HistoryEvent.ts";

export interface ForkRequest {
  readonly executionId: string;
  /** Number of the last event that counts, from 1. */
  readonly afterEvent: number;
  /** JSON of the payload, and what identifies it; absent: the original's. */
  readonly input?: { readonly payload: unknown; readonly payloadHash: string } | undefined;
  /** Tells forks from the same event with the same payload apart. */
  readonly label?: string | undefined;
  readonly atEpochMs: number;
}

/** The fork's whole first history. */
export interface Fork {
  readonly executionId: string;
  readonly facts: ReadonlyArray<HistoryEvent>;
  readonly started: typeof ExecutionStarted.Type;
}

export type ForkRefusal = ExecutionUnknown | ForkPointUnknown | ExecutionCompensated;

/** The fork of a history, or why there is none. */
export const decideFork = (
  history: ReadonlyArray<Commit>,
  request: ForkRequest,
): Result.Result<Fork, ForkRefusal> => {
  const { afterEvent, executionId, label } = request;
  const events = history.flatMap((commit) => commit.events);
  const original = events.find((event) => event._tag === "ExecutionStarted");
  if (!original) return Result.fail(new ExecutionUnknown({ executionId }));
  if (!Number.isInteger(afterEvent) || afterEvent < 1 || afterEvent > events.length) {
    const eventCount = events.length;
    return Result.fail(new ForkPointUnknown({ executionId, afterEvent, eventCount }));
  }
  const state = initialState();
  for (const event of events.slice(0, afterEvent)) evolve(state, event);
  const facts = copiedFacts(state);
  const compensations = events.flatMap((event) =>
    event._tag === "ActivityCompleted" && event.role === "compensation" ? [event.name] : [],
  );
  if (compensations.length > 0 && facts.some(({ _tag }) => _tag === "ActivityCompleted")) {
    return Result.fail(new ExecutionCompensated({ executionId, compensations }));
  }
  const { payload, payloadHash } = request.input ?? original;
  const { version, workflow } = original;
  const named = label === undefined ? "fork" : `fork "${label}"`;
  return Result.succeed({
    executionId: canonicalHash([executionId, afterEvent, payload, label ?? null]).slice(0, 32),
    facts: renumber(state, facts),
    started: {
      _tag: "ExecutionStarted",
      workflow,
      idempotencyKey: `${original.idempotencyKey} (${named} after event ${afterEvent} of ${executionId})`,
      payload,
      payloadHash,
      // The copied facts were recorded by that version's code.
      ...(version !== undefined && { version }),
      forkedFrom: { executionId, event: afterEvent },
      atEpochMs: request.atEpochMs,
    },
  });
};

type Fact = typeof ActivityCompleted.Type | typeof ClockScheduled.Type | typeof DeferredDone.Type;

/** In the order of the history. */
const copiedFacts = (state: ExecutionState): ReadonlyArray<Fact> =>
  [
    ...[...state.activities.values()].filter(({ role }) => role === undefined),
    ...state.clocks.values(),
    ...[...state.deferreds.values()].filter(({ name }) => !name.startsWith(childDeferred(""))),
  ].toSorted((a, b) => placeOf(state, a) - placeOf(state, b));

/** The facts with their places in the new history where they speak of places in the old one. */
const renumber = (
  state: ExecutionState,
  facts: ReadonlyArray<Fact>,
): ReadonlyArray<HistoryEvent> => {
  const places = facts.map((fact) => placeOf(state, fact));
  return facts.map((fact) =>
    fact._tag === "ActivityCompleted" && fact.startedAfter !== undefined
      ? { ...fact, startedAfter: countUpTo(places, fact.startedAfter) }
      : fact,
  );
};

/** How many of the ascending numbers are at most `limit`. */
const countUpTo = (ascending: ReadonlyArray<number>, limit: number): number => {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
};
