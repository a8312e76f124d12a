/**
 * Runs an effect once per key, and gives its recorded result to whoever asks again.
 *
 * For effects outside a workflow, or whose key spans several executions: within one execution an activity is already
 * recorded once. Inside a workflow it belongs into an activity. The effect itself may run more than once (a crash after
 * it and before its result is kept), so it should hand its key on to whatever it calls.
 *
 * - The same key with another payload is a typed conflict.
 * - While another owner is at work the caller is told when to come again. A claim ends with its lease, which is extended
 *   only while the effect runs, and not for ever.
 * - A failure gives the claim up: it is not a result.
 * - Size is no reason to do it again: a large result is kept beside the record (`LargeValues`), one that cannot be kept
 *   is recorded as done.
 */
import { Clock, Duration, Effect, Exit, Option, Random, Schema } from "effect";
import { canonicalHash } from "./CanonicalJson.ts";
import { holdLease } from "./holdLease.ts";
import {
  IdempotencyInProgress,
  IdempotencyLeaseLost,
  IdempotencyPayloadMismatch,
  IdempotencyRefused,
  IdempotencyResultUnavailable,
} from "./IdempotencyError.ts";
import { IdempotencyStore } from "./IdempotencyStore.ts";
import { bringBack, keep, unkept } from "./IdempotentResult.ts";
import { LargeValues } from "./LargeValues.ts";
import { idempotencyKeyBytesMax, valueBytesMax } from "./Limits.ts";
import { secretIn } from "./Mask.ts";
import { retry } from "./Retry.ts";
import { RetryBudget } from "./RetryBudget.ts";

export * from "./IdempotencyError.ts";
export { parseJsonExact } from "./CanonicalJson.ts";

export interface IdempotencyOptions<A, I> {
  readonly key: string;
  /**
   * What the key stands for: JSON, compared by hash of its canonical text. From JSON text use `parseJsonExact`, which
   * keeps the digits that a double loses. @default the key alone
   */
  readonly payload?: unknown;
  readonly success: Schema.Codec<A, I>;
  /** How long a crashed owner blocks the key. @default 1 minute */
  readonly lease?: Duration.Input;
  /** How long the lease is extended while the effect runs: longer work loses it. @default 15 minutes */
  readonly holdAtMost?: Duration.Input;
  /** How long the result is remembered, from its completion. @default 24 hours */
  readonly remember?: Duration.Input;
  /**
   * Largest result that the effect may give, in bytes of JSON, where that is known: what could not be kept is refused
   * before the effect is run.
   */
  readonly resultBytesMax?: number;
}

/** Runs the effect unless its result is known. */
export const once =
  <A, I>(options: IdempotencyOptions<A, I>) =>
  <E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const store = yield* IdempotencyStore;
      const { key } = options;
      const payloadHash = yield* checked(options);
      const leaseMs = Duration.toMillis(options.lease ?? "1 minute");
      const nowEpochMs = yield* Clock.currentTimeMillis;
      const owner = String(yield* Random.nextInt) + String(yield* Random.nextInt);
      const release = Effect.ignore(store.release(key, owner));
      const leaseUntilEpochMs = nowEpochMs + leaseMs;
      const claim = yield* store
        .claim({ key, owner, payloadHash, nowEpochMs, leaseUntilEpochMs })
        .pipe(
          retry({ attemptsMax: 5, baseMs: 100 }),
          // The claim may have been on its way.
          Effect.onInterrupt(() => release),
        );
      if (claim._tag !== "Claimed" && claim.payloadHash !== payloadHash) {
        return yield* new IdempotencyPayloadMismatch({ key });
      }
      if (claim._tag === "Completed") return yield* read(options, claim.result);
      if (claim._tag === "InProgress") {
        const retryAfterMs = Math.max(1, claim.leaseUntilEpochMs - nowEpochMs);
        return yield* new IdempotencyInProgress({ key, retryAfterMs });
      }
      const lost = new IdempotencyLeaseLost({ key, leaseMs });
      const work = holdLease(self, {
        leaseMs,
        holdMsMax: Duration.toMillis(options.holdAtMost ?? "15 minutes"),
        extend: (until) => store.extend(key, owner, until),
        lost,
      });
      // Once it is done, that it is done gets recorded, even by a fiber that is being interrupted.
      return yield* Effect.uninterruptibleMask((restore) =>
        restore(work).pipe(
          Effect.onError(() => release),
          Effect.tap((result) =>
            complete(options, owner, result).pipe(
              // Without the record it would be done again: that is no place to save retries.
              Effect.provideService(RetryBudget, undefined),
              Effect.flatMap((kept) => (kept ? Effect.void : Effect.fail(lost))),
            ),
          ),
        ),
      );
    });

/** The payload's hash, when key, payload and announced result are such that the outcome can be kept. */
const checked = Effect.fnUntraced(function* <A, I>(options: IdempotencyOptions<A, I>) {
  const { key, payload, resultBytesMax = 0 } = options;
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes === 0 || keyBytes > idempotencyKeyBytesMax) {
    const reason = `a key has 1 to ${idempotencyKeyBytesMax} bytes, this one ${keyBytes}: use a hash of it`;
    return yield* new IdempotencyRefused({ key: key.slice(0, 100), reason });
  }
  if (resultBytesMax > valueBytesMax && Option.isNone(yield* Effect.serviceOption(LargeValues))) {
    const reason = `its result may have ${resultBytesMax} bytes, more than ${valueBytesMax}: provide LargeValues`;
    return yield* new IdempotencyRefused({ key, reason });
  }
  return yield* Effect.try({
    try: () => canonicalHash(payload),
    catch: (error) => new IdempotencyRefused({ key, reason: `its payload: ${String(error)}` }),
  });
});

const codecOf = <A, I>({ success }: IdempotencyOptions<A, I>) => Schema.toCodecJson(success);

/** Records that the effect is done, with its result if it can be kept; false when the claim was lost. */
const complete = Effect.fnUntraced(function* <A, I>(
  options: IdempotencyOptions<A, I>,
  owner: string,
  result: A,
) {
  const store = yield* IdempotencyStore;
  const { key } = options;
  const encoded = yield* Effect.exit(Schema.encodeEffect(codecOf(options))(result));
  const secret = Exit.isSuccess(encoded) ? secretIn(encoded.value) : undefined;
  const text = Exit.isFailure(encoded)
    ? unkept("it does not fit the schema of its success")
    : secret === undefined
      ? yield* keep(encoded.value)
      : unkept(`it holds the secret "${secret}"`);
  const rememberMs = Duration.toMillis(options.remember ?? "24 hours");
  const expiresEpochMs = (yield* Clock.currentTimeMillis) + rememberMs;
  // The effect is done: it is worth more patience than a question is.
  const kept = yield* store
    .complete({ key, owner, result: text, expiresEpochMs })
    .pipe(retry({ attemptsMax: 6, baseMs: 100, capMs: 5_000 }));
  if (Exit.isFailure(encoded)) return yield* Effect.orDie(encoded);
  return kept;
});

const read = Effect.fnUntraced(function* <A, I>(options: IdempotencyOptions<A, I>, text: string) {
  const { key } = options;
  const json = yield* bringBack(key, text);
  return yield* Schema.decodeUnknownEffect(codecOf(options))(json).pipe(
    Effect.mapError(({ message }) => {
      const reason = `the recorded one does not fit the schema of its success: ${message}`;
      return new IdempotencyResultUnavailable({ key, reason });
    }),
  );
});
