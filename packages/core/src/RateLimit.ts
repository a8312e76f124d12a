/**
 * Rate limits as an effect: Effect's own `RateLimiter`, with failures of this product's classes and a store that
 * processes share.
 *
 *     callVendor.pipe(
 *       RateLimit.limit({ key: "vendor", limit: 10, window: "1 second" }),
 *       Retry.retry({ classes: { throttled: { attemptsMax: 10 } } }),
 *     )
 *
 * Beyond the limit the effect fails with a throttled failure that says when to come again, or waits in process for a
 * place that it has reserved (`onExceeded: "delay"`: fair, but the function is paid for meanwhile). Inside a workflow it
 * belongs into an activity, whose `retryActivity` then waits durably.
 */
import { Duration, Effect, Layer, Schema } from "effect";
import { RateLimiter } from "effect/persistence";
import { adviceOn, causeFields, failureClassOf } from "./Failure.ts";
import { SharedState, type SharedStateUnavailable } from "./SharedState.ts";

/** The limit is reached. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  key: Schema.String,
  limit: Schema.Finite,
  windowMs: Schema.Finite,
  retryAfterMs: Schema.Finite,
}) {
  readonly failureClass = "throttled";
  override get message(): string {
    return `"${this.key}" is limited to ${this.limit} in ${this.windowMs} ms: try again in ${this.retryAfterMs} ms`;
  }
}

/** The store of the limit did not answer: the effect was not run. */
export class RateLimitUnavailable extends Schema.TaggedError<RateLimitUnavailable>()(
  "RateLimitUnavailable",
  { key: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `whether "${this.key}" is within its limit is not known: ${adviceOn(this)}`;
  }
}

/** What `limit` adds to the failures of an effect: for an activity's error schema. */
export const RateLimitFailure = Schema.Union([RateLimited, RateLimitUnavailable]);
export type RateLimitFailure = typeof RateLimitFailure.Type;

export interface RateLimitOptions {
  /** What is limited; equal keys share one limit. */
  readonly key: string;
  /** How many in one window; also the largest burst. */
  readonly limit: number;
  readonly window: Duration.Input;
  /** @default 1 */
  readonly tokens?: number;
  /** @default "fail" */
  readonly onExceeded?: "fail" | "delay";
  /** @default "token-bucket" */
  readonly algorithm?: "token-bucket" | "fixed-window";
}

/** Runs the effect when the limit has room for it. */
export const limit =
  (options: RateLimitOptions) =>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
  ): Effect.Effect<A, E | RateLimited | RateLimitUnavailable, R | RateLimiter.RateLimiter> =>
    RateLimiter.RateLimiter.use((limiter) =>
      options.limit > 0
        ? limiter.consume({ algorithm: "token-bucket", ...options })
        : Effect.die(new RangeError(`the limit of "${options.key}" is not above 0`)),
    ).pipe(
      Effect.mapError(({ reason }) => failureOf(options, reason)),
      Effect.flatMap(({ delay }) => Effect.delay(self, delay)),
    );

const failureOf = (
  { key, limit, window }: RateLimitOptions,
  reason: RateLimiter.RateLimiterErrorReason,
): RateLimited | RateLimitUnavailable => {
  if (reason._tag === "RateLimitStoreError") {
    const cause = reason.cause ?? reason.message;
    return new RateLimitUnavailable({ key, cause, failureClass: failureClassOf(cause) });
  }
  const retryAfterMs = Math.max(1, Math.ceil(Duration.toMillis(reason.retryAfter)));
  return new RateLimited({ key, limit, windowMs: Duration.toMillis(window), retryAfterMs });
};

const Window = Schema.fromJsonString(
  Schema.Struct({ count: Schema.Finite, endsEpochMs: Schema.Finite }),
);
const decodeWindow = Schema.decodeUnknownSync(Window);
const encodeWindow = Schema.encodeSync(Window);

const Bucket = Schema.fromJsonString(
  Schema.Struct({ tokens: Schema.Finite, refilledEpochMs: Schema.Finite }),
);
const decodeBucket = Schema.decodeUnknownSync(Bucket);
const encodeBucket = Schema.encodeSync(Bucket);

/**
 * Limits kept in the shared state of the context. What a limiter learns from its server's answers (Effect's
 * `adaptiveConsume`) stays in each process, where those answers arrive.
 */
export const layerStoreShared: Layer.Layer<RateLimiter.RateLimiterStore, never, SharedState> =
  Layer.effect(
    RateLimiter.RateLimiterStore,
    Effect.gen(function* () {
      const shared = yield* SharedState;
      const own = yield* RateLimiter.RateLimiterStore;
      return RateLimiter.RateLimiterStore.of({
        fixedWindow: (options) => storeFailure(countInWindow(shared, options)),
        tokenBucket: (options) => storeFailure(takeFromBucket(shared, options)),
        adaptiveConsume: own.adaptiveConsume,
        adaptiveFeedback: own.adaptiveFeedback,
      });
    }),
  ).pipe(Layer.provide(RateLimiter.layerStoreMemory));

/** A limiter whose limits are shared by all processes with the same shared state. */
export const layerShared: Layer.Layer<RateLimiter.RateLimiter, never, SharedState> =
  RateLimiter.layer.pipe(Layer.provide(layerStoreShared));

/** A limiter for this process alone. */
export const layerInProcess: Layer.Layer<RateLimiter.RateLimiter> = RateLimiter.layer.pipe(
  Layer.provide(RateLimiter.layerStoreMemory),
);

const storeFailure = <A>(effect: Effect.Effect<A, SharedStateUnavailable>) =>
  Effect.mapError(effect, (cause) => {
    const { message } = cause;
    const reason = new RateLimiter.RateLimitStoreError({ message, cause });
    return new RateLimiter.RateLimiterError({ reason });
  });

type StoreInput<Operation extends "fixedWindow" | "tokenBucket"> = Parameters<
  RateLimiter.RateLimiterStore["Service"][Operation]
>[0];

const countInWindow = (
  shared: SharedState["Service"],
  { key, limit, refillRate, tokens }: StoreInput<"fixedWindow">,
) =>
  shared.modify<readonly [count: number, ttl: number]>(`window/${key}`, (state, now) => {
    const window = state === undefined ? { count: 0, endsEpochMs: now } : decodeWindow(state);
    const count = window.count + tokens;
    if (limit !== undefined && count > limit) {
      return { answer: [count, Math.max(0, window.endsEpochMs - now)] };
    }
    const endsEpochMs = window.endsEpochMs + Duration.toMillis(refillRate) * tokens;
    return {
      answer: [count, Math.max(0, endsEpochMs - now)],
      next: { state: encodeWindow({ count, endsEpochMs }), expiresEpochMs: endsEpochMs },
    };
  });

const takeFromBucket = (
  shared: SharedState["Service"],
  { allowOverflow, key, limit, refillRate, tokens }: StoreInput<"tokenBucket">,
) =>
  shared.modify<readonly [remaining: number, elapsedMs: number]>(`bucket/${key}`, (state, now) => {
    const refillMs = Duration.toMillis(refillRate);
    const held =
      state === undefined ? { tokens: limit, refilledEpochMs: now } : decodeBucket(state);
    // Clocks differ a little: one that is behind refills nothing.
    const refills = Math.max(0, Math.floor((now - held.refilledEpochMs) / refillMs));
    const filled = Math.min(limit, held.tokens + refills);
    const refilledEpochMs = filled >= limit ? now : held.refilledEpochMs + refills * refillMs;
    const elapsedMs = Math.max(0, now - refilledEpochMs);
    const remaining = filled - tokens;
    const answer = [remaining, elapsedMs] as const;
    if (remaining < 0 && !allowOverflow) return { answer };
    return {
      answer,
      next: {
        state: encodeBucket({ tokens: remaining, refilledEpochMs }),
        // Full again, and so as if it had never been.
        expiresEpochMs: refilledEpochMs + Math.ceil(limit - remaining) * refillMs,
      },
    };
  });
