/**
 * Patience with a store that does not answer: about 50, 100, 200 and 400 ms later, then it is given up.
 */
import { Effect, Schedule } from "effect";

const unavailable = Schedule.exponential("50 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 4 }),
);

/** Asks the journal again while it is unavailable; an append is asked again with the same writer token. */
export const askAgain = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> =>
  Effect.retry(effect, {
    schedule: unavailable,
    while: (error) => error._tag === "JournalUnavailable",
  });
