/**
 * Where claims on idempotency keys and the results of what was done under them are kept.
 *
 * A claim belongs to an owner and ends with its lease; only the owner may complete or release it. An expired record is
 * as good as none, whenever the store happens to delete it: expiry is compared here, never assumed.
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
  /** When a completed result may be forgotten. */
  readonly expiresEpochMs: number;
}

export type Claim =
  | { readonly _tag: "Claimed" }
  | {
      readonly _tag: "InProgress";
      readonly payloadHash: string;
      readonly leaseUntilEpochMs: number;
    }
  | { readonly _tag: "Completed"; readonly payloadHash: string; readonly result: string };

/** The store did not answer: the claim may or may not stand. Claiming again under the same owner is safe. */
export class IdempotencyStoreUnavailable extends Schema.TaggedError<IdempotencyStoreUnavailable>()(
  "IdempotencyStoreUnavailable",
  { key: Schema.String, operation: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `the idempotency store did not answer to ${this.operation} of "${this.key}": ${adviceOn(this)}`;
  }
}

export class IdempotencyStore extends Context.Service<
  IdempotencyStore,
  {
    readonly claim: (request: ClaimRequest) => Effect.Effect<Claim, IdempotencyStoreUnavailable>;
    /** Keeps the result (JSON text); false when the claim is the owner's no more. */
    readonly complete: (
      key: string,
      owner: string,
      result: string,
    ) => Effect.Effect<boolean, IdempotencyStoreUnavailable>;
    /** Gives the claim up, if it is still the owner's. */
    readonly release: (
      key: string,
      owner: string,
    ) => Effect.Effect<void, IdempotencyStoreUnavailable>;
  }
>()("@millrace/core/IdempotencyStore") {}
