/** The stores that `Idempotency.once` is tested on, each fresh for each test, and what tests do to them. */
import { type Claim, IdempotencyStore, IdempotencyStoreUnavailable } from "@millrace/core";
import { SqliteIdempotency } from "@millrace/core/sqlite";
import { Clock, Effect, Layer } from "effect";
import { layerDynaliteIdempotency } from "./dynalite.ts";

export const idempotencyStores = [
  ["DynamoDB", Layer.fresh(layerDynaliteIdempotency)],
  ["SQLite", Layer.fresh(SqliteIdempotency.layerSqlite(":memory:"))],
] as const;

/** Somebody else's claim, `agoMs` before now, on a lease of so long. */
export const claimAgo = (
  key: string,
  options: { readonly agoMs: number; readonly leaseMs: number; readonly payloadHash?: string },
): Effect.Effect<Claim, IdempotencyStoreUnavailable, IdempotencyStore> =>
  Effect.gen(function* () {
    const store = yield* IdempotencyStore;
    const nowEpochMs = (yield* Clock.currentTimeMillis) - options.agoMs;
    const leaseUntilEpochMs = nowEpochMs + options.leaseMs;
    const payloadHash = options.payloadHash ?? "another";
    return yield* store.claim({
      key,
      owner: "another",
      payloadHash,
      nowEpochMs,
      leaseUntilEpochMs,
    });
  });

/** The store of the context, except for what is given. */
export const layerSpoiled = (
  spoil: (store: IdempotencyStore["Service"]) => Partial<IdempotencyStore["Service"]>,
): Layer.Layer<IdempotencyStore, never, IdempotencyStore> =>
  Layer.effect(
    IdempotencyStore,
    Effect.map(IdempotencyStore, (store) => IdempotencyStore.of({ ...store, ...spoil(store) })),
  );

/** What the store does, and then no answer, the first time. */
export const losingFirstAnswer = <Input extends ReadonlyArray<unknown>, A>(
  operation: (...input: Input) => Effect.Effect<A, IdempotencyStoreUnavailable>,
): ((...input: Input) => Effect.Effect<A, IdempotencyStoreUnavailable>) => {
  let lost = false;
  return (...input) =>
    Effect.flatMap(operation(...input), (answer) => {
      if (lost) return Effect.succeed(answer);
      lost = true;
      return Effect.fail(
        new IdempotencyStoreUnavailable({ key: "", operation: "", cause: "the answer was lost" }),
      );
    });
};
