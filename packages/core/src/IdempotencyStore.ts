/**
 * Where claims on idempotency keys and the results of what was done under them are kept.
 *
 * A record has one owner and one expiry: while the work is under way that is the end of its lease, once it is done the
 * end of its remembrance. Only the owner may extend, complete or release. An expired record is as good as none, whenever
 * the store happens to delete it: expiry is compared by whoever reads, never assumed.
 *
 * Every operation may be repeated by the same owner: it meets what it did itself, and answers the same.
 */
import { Context, type Effect, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";

export interface ClaimRequest {
  readonly key: string;
  /** Unique to this claim, so that a claimant whose answer was lost recognises its own record. */
  readonly owner: string;
  readonly payloadHash: string;
  readonly nowEpochMs: number;
  readonly leaseUntilEpochMs: number;
}

export type Claim =
  | { readonly _tag: "Claimed" }
  | {
      readonly _tag: "InProgress";
      readonly payloadHash: string;
      readonly leaseUntilEpochMs: number;
    }
  | {
      readonly _tag: "Completed";
      readonly payloadHash: string;
      readonly result: string;
      readonly expiresEpochMs: number;
    };

export interface Completion {
  readonly key: string;
  readonly owner: string;
  /** JSON text, at most `valueBytesMax`. */
  readonly result: string;
  /** When it may be forgotten. */
  readonly expiresEpochMs: number;
}

/** The store did not answer: the change may or may not stand. The same owner may ask again. */
export class IdempotencyStoreUnavailable extends Schema.TaggedError<IdempotencyStoreUnavailable>()(
  "IdempotencyStoreUnavailable",
  { key: Schema.String, operation: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `the idempotency store did not do ${this.operation} of "${this.key}": ${adviceOn(this)}`;
  }
}

export class IdempotencyStore extends Context.Service<
  IdempotencyStore,
  {
    /** Takes the key, unless a record that has not expired holds it. */
    readonly claim: (request: ClaimRequest) => Effect.Effect<Claim, IdempotencyStoreUnavailable>;
    /** Moves the end of the lease; false when the claim is the owner's no more. */
    readonly extend: (
      key: string,
      owner: string,
      leaseUntilEpochMs: number,
    ) => Effect.Effect<boolean, IdempotencyStoreUnavailable>;
    /** Keeps the result; false when the claim is the owner's no more. */
    readonly complete: (
      completion: Completion,
    ) => Effect.Effect<boolean, IdempotencyStoreUnavailable>;
    /** Gives the claim up, if it is still the owner's and not completed. */
    readonly release: (
      key: string,
      owner: string,
    ) => Effect.Effect<void, IdempotencyStoreUnavailable>;
  }
>()("@millrace/core/IdempotencyStore") {}
