/**
 * How a command fails: with what happened, in words, on standard error and exit code 1.
 *
 * `Command.run` prints the message; the program's entry point gives 1 for `UserError` and 2 for every other CLI error,
 * which are all about how the command was called.
 */
import { Effect } from "effect";
import { CliError } from "effect/cli";

/** Turns a typed failure into the CLI's own, keeping its tag and message. */
const asUserError = (failure: {
  readonly _tag: string;
  readonly message: string;
}): CliError.UserError =>
  new CliError.UserError({ cause: failure, userMessage: `${failure._tag}: ${failure.message}` });

/** `asUserError` for all failures of an effect. */
export const failAsUserError = <
  A,
  E extends { readonly _tag: string; readonly message: string },
  R,
>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, CliError.UserError, R> => Effect.mapError(effect, asUserError);
