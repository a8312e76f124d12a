/**
 * A cache of completed results in front of an idempotency store, for keys that one process is asked for again and again.
 *
 * Only completed results are cached: they do not change until they expire, and their expiry is compared with each
 * question. Claims always go to the store. The cache is bounded in entries and in characters; what was used least
 * recently goes first.
 */
import { Effect, Layer } from "effect";
import { type Claim, IdempotencyStore } from "./IdempotencyStore.ts";

export interface CacheBounds {
  /** @default 1,000 */
  readonly entriesMax?: number;
  /** Of all results together. @default 16,000,000 */
  readonly charactersMax?: number;
}

type Completed = Extract<Claim, { readonly _tag: "Completed" }>;

/** The store of the context, with completed results kept in this process. */
export const layerCached = (
  bounds: CacheBounds = {},
): Layer.Layer<IdempotencyStore, never, IdempotencyStore> =>
  Layer.effect(
    IdempotencyStore,
    Effect.map(IdempotencyStore, (store) => {
      const cache = new ResultCache(bounds);
      return IdempotencyStore.of({
        ...store,
        claim: (request) =>
          Effect.suspend(() => {
            const cached = cache.find(request.key, request.nowEpochMs);
            if (cached) return Effect.succeed(cached);
            return Effect.tap(store.claim(request), (claim) =>
              Effect.sync(() => {
                if (claim._tag === "Completed") cache.keep(request.key, claim);
              }),
            );
          }),
      });
    }),
  );

class ResultCache {
  private readonly entriesMax: number;
  private readonly charactersMax: number;
  /** In the order of their last use. */
  private readonly entries = new Map<string, Completed>();
  private characters = 0;

  constructor({ charactersMax = 16_000_000, entriesMax = 1_000 }: CacheBounds) {
    this.entriesMax = entriesMax;
    this.charactersMax = charactersMax;
  }

  find(key: string, nowEpochMs: number): Completed | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.remove(key);
    if (entry.expiresEpochMs <= nowEpochMs) return undefined;
    this.add(key, entry);
    return entry;
  }

  keep(key: string, entry: Completed): void {
    this.remove(key);
    this.add(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.entriesMax && this.characters <= this.charactersMax) return;
      this.remove(oldest);
    }
  }

  private add(key: string, entry: Completed): void {
    this.entries.set(key, entry);
    this.characters += entry.result.length;
  }

  private remove(key: string): void {
    this.characters -= this.entries.get(key)?.result.length ?? 0;
    this.entries.delete(key);
  }
}
