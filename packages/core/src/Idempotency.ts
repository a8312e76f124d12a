/**
 * Runs an effect once per key, and gives its recorded result to whoever asks again.
 *
 * For effects outside a workflow, or whose key spans several executions: within one execution an activity is already
 * recorded once. The effect itself may run more than once (a crash after it and before its result is kept), so it
 * should hand its key on to whatever it calls.
 *
 * - The same key with another payload is a typed conflict.
 * - While another owner is at work the caller is told when to come again; a claim always ends with its lease.
 * - A failure gives the claim up: it is not a result.
 */
import { Clock, Duration, Effect, Random, Schema } from "effect";
import { canonicalHash } from "./CanonicalJson.ts";
import { IdempotencyStore } from "./IdempotencyStore.ts";
import { retry } from "./Retry.ts";

/** Somebody else is at work under the key. */
export class IdempotencyInProgress extends Schema.TaggedError<IdempotencyInProgress>()(
  "IdempotencyInProgress",
  { key: Schema.String, retryAfterMs: Schema.Finite },
) {
  readonly failureClass = "throttled";
  override get message(): string {
    return `"${this.key}" is being worked on by another process: try again in ${this.retryAfterMs} ms`;
  }
}

/** The key was used with another payload. */
export class IdempotencyPayloadMismatch extends Schema.TaggedError<IdempotencyPayloadMismatch>()(
  "IdempotencyPayloadMismatch",
  { key: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `"${this.key}" was used with another payload: make the key tell the two apart`;
  }
}

/** The effect took longer than its lease, and another process took the key over. */
export class IdempotencyLeaseLost extends Schema.TaggedError<IdempotencyLeaseLost>()(
  "IdempotencyLeaseLost",
  { key: Schema.String, leaseMs: Schema.Finite },
) {
  readonly failureClass = "timeout";
  override get message(): string {
    return `the work under "${this.key}" outlived its lease of ${this.leaseMs} ms: give it a longer one`;
  }
}

export interface IdempotencyOptions<A, I> {
  readonly key: string;
  /** What the key stands for: compared by hash of its canonical JSON. @default the key alone */
  readonly payload?: unknown;
  readonly success: Schema.Codec<A, I>;
  /** @default 1 minute */
  readonly lease?: Duration.Input;
  /** How long the result is remembered. @default 24 hours */
  readonly remember?: Duration.Input;
}

/** Runs the effect unless its result is known. */
export const once =
  <A, I>(options: IdempotencyOptions<A, I>) =>
  <E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const store = yield* IdempotencyStore;
      const { key } = options;
      const codec = Schema.fromJsonString(Schema.toCodecJson(options.success));
      const leaseMs = Duration.toMillis(options.lease ?? "1 minute");
      const payloadHash = canonicalHash(options.payload);
      const nowEpochMs = yield* Clock.currentTimeMillis;
      const owner = String(yield* Random.nextInt) + String(yield* Random.nextInt);
      const claim = yield* store
        .claim({
          key,
          owner,
          payloadHash,
          nowEpochMs,
          leaseUntilEpochMs: nowEpochMs + leaseMs,
          expiresEpochMs: nowEpochMs + Duration.toMillis(options.remember ?? "24 hours"),
        })
        .pipe(retry());
      if (claim._tag !== "Claimed" && claim.payloadHash !== payloadHash) {
        return yield* new IdempotencyPayloadMismatch({ key });
      }
      if (claim._tag === "Completed") {
        return yield* Effect.orDie(Schema.decodeEffect(codec)(claim.result));
      }
      if (claim._tag === "InProgress") {
        const retryAfterMs = Math.max(1, claim.leaseUntilEpochMs - nowEpochMs);
        return yield* new IdempotencyInProgress({ key, retryAfterMs });
      }
      const result = yield* Effect.onError(self, () => Effect.ignore(store.release(key, owner)));
      const text = yield* Effect.orDie(Schema.encodeEffect(codec)(result));
      const kept = yield* store.complete(key, owner, text).pipe(retry());
      return kept ? result : yield* new IdempotencyLeaseLost({ key, leaseMs });
    });
