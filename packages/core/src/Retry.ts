/**
 * Retries as an effect: what is retried is decided by the failure's class, how often and when by a policy.
 *
 * `retry` works on any effect, in process. `retryActivity` works on an activity inside a workflow: every attempt is a
 * fact of its own, and the pause between two attempts is a durable sleep, so that neither a crash nor a replay repeats
 * an attempt that has failed already.
 */
import { Duration, Effect, Function, Schedule } from "effect";
import { Activity, DurableClock, type WorkflowEngine } from "effect/workflow";
import { isRetryable, retryAfterMsOf } from "./Failure.ts";
import { inProcessSleepMsMax } from "./Limits.ts";

/**
 * How often and when.
 *
 * Shape:  `attemptsMax` counts the first attempt; the pause after attempt n is `baseMs * factor^(n-1)`, at most `capMs`,
 *         but never shorter than the `retryAfterMs` of a throttled failure
 */
export interface RetryPolicy {
  readonly attemptsMax: number;
  readonly baseMs: number;
  readonly factor: number;
  readonly capMs: number;
}

/** Two more attempts after 1 s and 2 s: what the pipelines use unless they say otherwise (requirement D3.3). */
export const defaultPolicy: RetryPolicy = {
  attemptsMax: 3,
  baseMs: 1_000,
  factor: 2,
  capMs: 60_000,
};

/** The pause after the given attempt (from 1), in milliseconds, before jitter. */
export const backoffMs = (policy: RetryPolicy, attempt: number): number =>
  Math.min(policy.capMs, policy.baseMs * policy.factor ** (attempt - 1));

/** Retries an effect in process while its failures are of a class that can pass. */
export const retry: {
  (
    policy?: Partial<RetryPolicy>,
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>;
  <A, E, R>(self: Effect.Effect<A, E, R>, policy?: Partial<RetryPolicy>): Effect.Effect<A, E, R>;
} = Function.dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, given?: Partial<RetryPolicy>) => {
    const policy = { ...defaultPolicy, ...given };
    return Effect.retry(self, {
      while: isRetryable,
      times: policy.attemptsMax - 1,
      schedule: Schedule.exponential(policy.baseMs, policy.factor).pipe(
        Schedule.modifyDelay(({ duration }) =>
          Effect.succeed(Duration.min(duration, Duration.millis(policy.capMs))),
        ),
        Schedule.jittered,
        // Last, so that neither cap nor jitter makes it ask sooner than it was told to.
        Schedule.modifyDelay(({ duration, input }) =>
          Effect.succeed(Duration.max(duration, Duration.millis(retryAfterMsOf(input)))),
        ),
      ),
    });
  },
);

/** Name of the durable sleep before an attempt (from 2) of a retried activity. */
export const pauseName = (activity: string, attempt: number): string =>
  `${activity} before attempt ${attempt}`;

type ActivityEffect<A, E, R> = Effect.Effect<A, E, R> & { readonly name: string };

/** Retries an activity durably: attempts and pauses are in the history. */
export const retryActivity: {
  (
    policy?: Partial<RetryPolicy>,
  ): <A, E, R>(
    self: ActivityEffect<A, E, R>,
  ) => Effect.Effect<A, E, R | WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance>;
  <A, E, R>(
    self: ActivityEffect<A, E, R>,
    policy?: Partial<RetryPolicy>,
  ): Effect.Effect<A, E, R | WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance>;
} = Function.dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: ActivityEffect<A, E, R>, given?: Partial<RetryPolicy>) => {
    const policy = { ...defaultPolicy, ...given };
    const attemptFrom = (
      attempt: number,
    ): Effect.Effect<A, E, R | WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance> =>
      self.pipe(
        Effect.provideService(Activity.CurrentAttempt, attempt),
        Effect.catchIf(
          (error) => attempt < policy.attemptsMax && isRetryable(error),
          (error) =>
            DurableClock.sleep({
              name: pauseName(self.name, attempt + 1),
              duration: Math.max(backoffMs(policy, attempt), retryAfterMsOf(error)),
              inMemoryThreshold: inProcessSleepMsMax,
            }).pipe(Effect.andThen(attemptFrom(attempt + 1))),
        ),
      );
    return attemptFrom(1);
  },
);
