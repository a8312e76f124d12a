/**
 * Retries as an effect: what is retried is decided by the failure's class, how often and when by a policy.
 *
 * `retry` works on any effect, in process. `retryActivity` works on an activity inside a workflow: every attempt is a
 * fact of its own, and the pause between two attempts is a durable sleep, so that neither a crash nor a replay repeats
 * an attempt that has failed already.
 *
 * A `RetryBudget` bounds the retries of one invocation together: when it is spent, `retry` hands on the failure at once,
 * and `retryActivity` waits outside the function even where the pause is short.
 */
import { Effect, Function, Random, Schema } from "effect";
import { Activity, DurableClock, WorkflowEngine } from "effect/workflow";
import { canonicalHash } from "./CanonicalJson.ts";
import { type FailureClass, failureClassOf, isRetryable, retryAfterMsOf } from "./Failure.ts";
import { inProcessSleepMsMax } from "./Limits.ts";
import { makeActivity } from "./makeActivity.ts";
import { countRetry } from "./Metrics.ts";
import { PreviousFailures } from "./PreviousFailures.ts";
import { takeRetry } from "./RetryBudget.ts";

/** How often and when, for one class of failure. */
interface RetrySteps {
  /** Attempts in all, the first one included. */
  readonly attemptsMax: number;
  readonly baseMs: number;
  readonly factor: number;
  readonly capMs: number;
  /** The part of a pause that is left to chance, 0 to 1: it is shortened by at most so much. 1 is "full jitter". */
  readonly jitter: number;
}

/**
 * How often and when.
 *
 * Shape:  the pause after attempt n is `baseMs * factor^(n-1)`, at most `capMs`, less its jitter, but never shorter than
 *         the `retryAfterMs` of a throttled failure; `classes` says what is different for failures of a class
 */
export interface RetryPolicy extends RetrySteps {
  readonly classes?: Readonly<
    Partial<Record<Exclude<FailureClass, "permanent" | "defect">, Partial<RetrySteps>>>
  >;
}

/**
 * Two more attempts after 1 s and 2 s: what the pipelines use unless they say otherwise (requirement D3.3). What was
 * throttled is spread over the whole pause, because those that were throttled together would come back together.
 */
export const defaultPolicy: RetryPolicy = {
  attemptsMax: 3,
  baseMs: 1_000,
  factor: 2,
  capMs: 60_000,
  jitter: 0.2,
  classes: { throttled: { jitter: 1 } },
};

/** The pause after the given attempt (from 1), in milliseconds, before jitter. */
export const backoffMs = (
  policy: Pick<RetryPolicy, "baseMs" | "factor" | "capMs">,
  attempt: number,
): number => Math.min(policy.capMs, policy.baseMs * policy.factor ** (attempt - 1));

/** What follows an attempt that failed: nothing, or a pause. `nominalMs` is the pause before jitter. */
export const afterFailure = (
  policy: RetryPolicy,
  error: unknown,
  attempt: number,
): { readonly nominalMs: number; readonly pauseMs: (chance: number) => number } | undefined => {
  const failureClass = failureClassOf(error);
  if (failureClass === "permanent" || failureClass === "defect") return undefined;
  const steps = { ...policy, ...policy.classes?.[failureClass] };
  if (attempt >= steps.attemptsMax) return undefined;
  const backoff = backoffMs(steps, attempt);
  // Neither cap nor jitter makes it ask sooner than it was told to.
  const leastMs = retryAfterMsOf(error);
  return {
    nominalMs: Math.max(backoff, leastMs),
    pauseMs: (chance) => Math.max(leastMs, backoff * (1 - steps.jitter * chance)),
  };
};

/** A policy, with the default for what it leaves out. */
export const completed = (given: Partial<RetryPolicy> | undefined): RetryPolicy => ({
  ...defaultPolicy,
  ...given,
  classes: { ...defaultPolicy.classes, ...given?.classes },
});

/** Retries an effect in process while its failures are of a class that can pass. */
export const retry: {
  (
    policy?: Partial<RetryPolicy>,
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>;
  <A, E, R>(self: Effect.Effect<A, E, R>, policy?: Partial<RetryPolicy>): Effect.Effect<A, E, R>;
} = Function.dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, given?: Partial<RetryPolicy>) => {
    const policy = completed(given);
    const attemptFrom = (
      attempt: number,
      failures: ReadonlyArray<unknown>,
    ): Effect.Effect<A, E, R> =>
      Effect.catchIf(
        failures.length === 0 ? self : Effect.provideService(self, PreviousFailures, failures),
        isRetryable,
        (error) =>
          Effect.gen(function* () {
            const pause = afterFailure(policy, error, attempt);
            if (!pause || !(yield* takeRetry)) return yield* Effect.fail(error);
            // A retry around this one has failures of its own to tell of.
            const before = failures.length === 0 ? yield* PreviousFailures : failures;
            yield* Effect.sleep(pause.pauseMs(yield* Random.next));
            yield* countRetry(error);
            return yield* attemptFrom(attempt + 1, [...before, error]);
          }),
      );
    return attemptFrom(1, []);
  },
);

/** Name of the durable sleep before an attempt (from 2) of a retried activity. */
export const pauseName = (activity: string, attempt: number): string =>
  `${activity} before attempt ${attempt}`;

type ActivityEffect<A, E, R> = Effect.Effect<A, E, R> & { readonly name: string };
type InWorkflow = WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance;

/** Retries an activity durably: attempts and pauses are in the history. */
export const retryActivity: {
  (
    policy?: Partial<RetryPolicy>,
  ): <A, E, R>(self: ActivityEffect<A, E, R>) => Effect.Effect<A, E, R | InWorkflow>;
  <A, E, R>(
    self: ActivityEffect<A, E, R>,
    policy?: Partial<RetryPolicy>,
  ): Effect.Effect<A, E, R | InWorkflow>;
} = Function.dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: ActivityEffect<A, E, R>, given?: Partial<RetryPolicy>) => {
    const policy = completed(given);
    const attemptFrom = (
      attempt: number,
      failures: ReadonlyArray<unknown>,
    ): Effect.Effect<A, E, R | InWorkflow> =>
      self.pipe(
        Effect.provideService(Activity.CurrentAttempt, attempt),
        Effect.provideService(PreviousFailures, failures),
        Effect.catchIf(isRetryable, (error) => {
          const pause = afterFailure(policy, error, attempt);
          return pause
            ? Effect.andThen(
                pauseDurably(pauseName(self.name, attempt + 1), pause),
                attemptFrom(attempt + 1, [...failures, error]),
              )
            : Effect.fail(error);
        }),
      );
    return attemptFrom(1, []);
  },
);

/**
 * A short pause is spent in the function, if the invocation's budget allows it; that it did not is a fact too, so that
 * a replay takes the same way. Which kind of pause it is depends on the policy alone, never on jitter.
 */
export const pauseDurably = Effect.fnUntraced(function* (
  name: string,
  pause: NonNullable<ReturnType<typeof afterFailure>>,
) {
  const { executionId } = yield* WorkflowEngine.WorkflowInstance;
  // A body has no chance of its own that a replay would not repeat; executions differ, and so do their pauses.
  const duration = Math.max(1, Math.round(pause.pauseMs(chanceOf(executionId, name))));
  if (pause.nominalMs <= inProcessSleepMsMax) {
    const where = yield* makeActivity({
      name: `DurableClock/${name}`,
      // What an ordinary sleep in process records is nothing.
      success: Schema.UndefinedOr(Schema.Literal(budgetSpent)),
      execute: Effect.flatMap(takeRetry, (taken) =>
        taken ? Effect.as(Effect.sleep(duration), undefined) : Effect.succeed(budgetSpent),
      ),
    });
    if (where === undefined) return;
  }
  yield* DurableClock.sleep({ name, duration, inMemoryThreshold: 0 });
});

const budgetSpent = "budget spent" as const;

/** A number from 0 to 1 that is the same in every replay, and another one for every execution. */
const chanceOf = (executionId: string, name: string): number =>
  Number.parseInt(canonicalHash([executionId, name]).slice(0, 8), 16) / 0xffff_ffff;

export { PreviousFailures } from "./PreviousFailures.ts";
export { RetryBudget, withBudget } from "./RetryBudget.ts";
