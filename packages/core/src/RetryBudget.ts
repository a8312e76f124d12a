/**
 * How many retries one invocation may spend in process, over everything that it does.
 *
 * Each call's own patience multiplies when a whole system is away: ten calls of three attempts hold the function, and
 * the system that is struggling, for thirty. With a budget the first calls use it up and the rest give up at once.
 */
import { Context, Effect, Ref } from "effect";
import { retriesPerInvocationMax } from "./Limits.ts";

/** The retries that are left; `undefined` where nobody counts. */
export const RetryBudget = Context.Reference<Ref.Ref<number> | undefined>(
  "@millrace/core/RetryBudget",
  { defaultValue: () => undefined },
);

/** Gives the effect, and all that it starts, one budget of retries together. */
export const withBudget =
  (options: { readonly retriesMax?: number } = {}) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Ref.make(options.retriesMax ?? retriesPerInvocationMax), (budget) =>
      Effect.provideService(self, RetryBudget, budget),
    );

/** Takes one retry out of the budget; false when it is spent. */
export const takeRetry: Effect.Effect<boolean> = Effect.flatMap(RetryBudget, (budget) =>
  budget ? Ref.modify(budget, (left) => [left > 0, Math.max(0, left - 1)]) : Effect.succeed(true),
);
