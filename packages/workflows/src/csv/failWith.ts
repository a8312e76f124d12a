/**
 * What synchronous code found, as an effect: it fails with the failure, where there is one.
 */
import { Effect } from "effect";

export const failWith = <E>(failure: E | undefined): Effect.Effect<void, E> =>
  failure === undefined ? Effect.void : Effect.fail(failure);
