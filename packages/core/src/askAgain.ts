/**
 * Patience with a store that does not answer: about 50, 100, 200 and 400 ms later, then it is given up.
 */
import { Effect, Schedule } from "effect";

const isUnavailable = (error: { readonly _tag: string }): boolean =>
  error._tag === "JournalUnavailable";

const unavailable = Schedule.exponential("50 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 4 }),
);

const again = { schedule: unavailable, while: isUnavailable };

/** Asks the journal again while it is unavailable; an append is asked again with the same writer token. */
export const askAgain = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> =>
  // Nearly all are answered at once, and pay nothing for the others' patience.
  Effect.catchIf(effect, isUnavailable, () => Effect.retry(effect, again));
