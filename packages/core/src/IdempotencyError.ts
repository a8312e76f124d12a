/**
 * Why an effect under an idempotency key was not run, or its result not given.
 */
import { Schema } from "effect";
import { IdempotencyStoreUnavailable } from "./IdempotencyStore.ts";
import { LargeValueLost, LargeValueUnavailable } from "./LargeValues.ts";

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
    return `the work under "${this.key}" outlived its lease of ${this.leaseMs} ms and another process took it over: ask again for that one's result, and give the work a longer lease`;
  }
}

/** Refused before the effect was run: the key, the payload or the announced result cannot be kept. */
export class IdempotencyRefused extends Schema.TaggedError<IdempotencyRefused>()(
  "IdempotencyRefused",
  { key: Schema.String, reason: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `nothing was done under "${this.key}": ${this.reason}`;
  }
}

/** The effect has been done under the key, but its result cannot be given again. It is not done once more. */
export class IdempotencyResultUnavailable extends Schema.TaggedError<IdempotencyResultUnavailable>()(
  "IdempotencyResultUnavailable",
  { key: Schema.String, reason: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `what was to be done under "${this.key}" is done, but its result cannot be given again: ${this.reason}`;
  }
}

/** What `once` adds to the failures of an effect: for an activity's error schema. */
export const IdempotencyFailure = Schema.Union([
  IdempotencyInProgress,
  IdempotencyPayloadMismatch,
  IdempotencyLeaseLost,
  IdempotencyRefused,
  IdempotencyResultUnavailable,
  IdempotencyStoreUnavailable,
  LargeValueUnavailable,
  LargeValueLost,
]);
export type IdempotencyFailure = typeof IdempotencyFailure.Type;
