/**
 * Keeps a lease while an effect runs, and never for ever.
 *
 * Three times per lease it is extended, until the effect ends or the holder has held it for as long as it may: a hung
 * effect, like a dead process, loses its lease. A store that does not answer is no reason to stop: the lease may last.
 */
import { Clock, Effect } from "effect";

export interface HeldLease<E> {
  readonly leaseMs: number;
  /** After so long it is extended no more, in milliseconds. */
  readonly holdMsMax: number;
  /** False when it is somebody else's now. */
  readonly extend: (leaseUntilEpochMs: number) => Effect.Effect<boolean, unknown>;
  /** What the effect is interrupted with when that is so. */
  readonly lost: E;
}

/** Runs the effect while its lease is kept; interrupts it when the lease is lost to somebody else. */
export const holdLease = <A, E, R, E2>(
  self: Effect.Effect<A, E, R>,
  lease: HeldLease<E2>,
): Effect.Effect<A, E | E2, R> => Effect.raceFirst(self, beat(lease));

const beat = Effect.fnUntraced(function* <E>({ extend, holdMsMax, leaseMs, lost }: HeldLease<E>) {
  const sinceEpochMs = yield* Clock.currentTimeMillis;
  while (true) {
    yield* Effect.sleep(leaseMs / 3);
    const now = yield* Clock.currentTimeMillis;
    if (now - sinceEpochMs >= holdMsMax) return yield* Effect.never;
    const kept = yield* Effect.catchCause(extend(now + leaseMs), () => Effect.succeed(true));
    if (!kept) return yield* Effect.fail(lost);
  }
});
