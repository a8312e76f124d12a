/**
 * Concurrency limits as an effect, for what processes share: at most so many at a time, whoever runs them.
 *
 * (Within one process use Effect's own `Semaphore` and `PartitionedSemaphore`.)
 *
 * A slot is leased: it is extended while the effect runs, and free again with its release, or with the end of the lease
 * of a process that died. When all are taken the effect fails with a throttled failure, at once or after waiting, so
 * that `Retry` decides what then: inside a workflow it belongs into an activity, whose `retryActivity` waits durably.
 */
import { Clock, Duration, Effect, Random, Schema } from "effect";
import { holdLease } from "./holdLease.ts";
import { retry } from "./Retry.ts";
import { SharedState, SharedStateUnavailable } from "./SharedState.ts";

/** All slots are taken. */
export class ConcurrencyLimited extends Schema.TaggedError<ConcurrencyLimited>()(
  "ConcurrencyLimited",
  { key: Schema.String, slots: Schema.Int, retryAfterMs: Schema.Finite },
) {
  readonly failureClass = "throttled";
  override get message(): string {
    return `all ${this.slots} slots of "${this.key}" are taken: try again in ${this.retryAfterMs} ms`;
  }
}

/** The effect's slot ran out while its process stood still, and may be somebody else's. */
export class ConcurrencySlotLost extends Schema.TaggedError<ConcurrencySlotLost>()(
  "ConcurrencySlotLost",
  { key: Schema.String, leaseMs: Schema.Finite },
) {
  readonly failureClass = "timeout";
  override get message(): string {
    return `the slot of "${this.key}" was not extended within its lease of ${this.leaseMs} ms: the work was interrupted`;
  }
}

/** What `limit` adds to the failures of an effect: for an activity's error schema. */
export const ConcurrencyFailure = Schema.Union([
  ConcurrencyLimited,
  ConcurrencySlotLost,
  SharedStateUnavailable,
]);
export type ConcurrencyFailure = typeof ConcurrencyFailure.Type;

export interface ConcurrencyOptions {
  /** What is limited; equal keys share the slots. */
  readonly key: string;
  /** Each costs some 40 bytes in the state of the key, which is written whole: tens, not thousands. */
  readonly slots: number;
  /** How long a crashed holder keeps its slot. @default 1 minute */
  readonly lease?: Duration.Input;
  /** How long the lease is extended while the effect runs. @default 15 minutes */
  readonly holdAtMost?: Duration.Input;
  /** How long to wait in process for a slot. @default not at all */
  readonly wait?: Duration.Input;
}

/** How soon a slot is asked for again, in milliseconds: releases are not announced. */
const askAgainMs = 1_000;

/** Runs the effect in one of the slots. */
export const limit =
  (options: ConcurrencyOptions) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const shared = yield* SharedState;
      const { key, slots } = options;
      if (!(slots >= 1)) {
        return yield* Effect.die(new RangeError(`"${key}" has less than one slot: ${slots}`));
      }
      const leaseMs = Duration.toMillis(options.lease ?? "1 minute");
      const owner = String(yield* Random.nextInt) + String(yield* Random.nextInt);
      const slot: Slot = { shared, key, slots, owner };
      const work = holdLease(self, {
        leaseMs,
        holdMsMax: Duration.toMillis(options.holdAtMost ?? "15 minutes"),
        extend: (leaseUntilEpochMs) => extend(slot, leaseUntilEpochMs),
        lost: new ConcurrencySlotLost({ key, leaseMs }),
      });
      // Whoever is interrupted while it asks may have got the slot; who was refused has none.
      let isRefused = false;
      return yield* acquire(slot, leaseMs, Duration.toMillis(options.wait ?? 0)).pipe(
        Effect.tapError(() => Effect.sync(() => (isRefused = true))),
        Effect.andThen(work),
        Effect.ensuring(
          Effect.suspend(() => (isRefused ? Effect.void : Effect.ignore(release(slot)))),
        ),
      );
    });

interface Slot {
  readonly shared: SharedState["Service"];
  readonly key: string;
  readonly slots: number;
  readonly owner: string;
}

/** Ends of leases, by holder. */
const Holders = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Finite));
const decodeHolders = Schema.decodeUnknownSync(Holders);
const encodeHolders = Schema.encodeSync(Holders);
type Holders = Readonly<Record<string, number>>;

/** Those whose lease has not ended. */
const holdersIn = (state: string | undefined, nowEpochMs: number): Holders =>
  state === undefined
    ? {}
    : Object.fromEntries(
        Object.entries(decodeHolders(state)).filter(([, until]) => nowEpochMs < until),
      );

const heldBy = (holders: Holders, nowEpochMs: number) => ({
  state: encodeHolders(holders),
  expiresEpochMs: Math.max(nowEpochMs, ...Object.values(holders)),
});

const acquire = Effect.fnUntraced(function* (slot: Slot, leaseMs: number, waitMs: number) {
  const { key, owner, shared, slots } = slot;
  const untilEpochMs = (yield* Clock.currentTimeMillis) + waitMs;
  while (true) {
    const isTaken = yield* retry(
      shared.modify(`slots/${key}`, (state, now) => {
        const holders = holdersIn(state, now);
        // Our own from a try whose answer was lost is ours.
        const hasRoom = Object.hasOwn(holders, owner) || Object.keys(holders).length < slots;
        if (!hasRoom) return { answer: false };
        return { answer: true, next: heldBy({ ...holders, [owner]: now + leaseMs }, now) };
      }),
      { attemptsMax: 5, baseMs: 100 },
    );
    if (isTaken) return;
    const pauseMs = askAgainMs * (0.5 + (yield* Random.next) / 2);
    if ((yield* Clock.currentTimeMillis) + pauseMs > untilEpochMs) {
      return yield* new ConcurrencyLimited({ key, slots, retryAfterMs: askAgainMs });
    }
    yield* Effect.sleep(pauseMs);
  }
});

/** False when the lease has ended and the slot may be somebody else's. */
const extend = ({ key, owner, shared }: Slot, leaseUntilEpochMs: number) =>
  shared.modify(`slots/${key}`, (state, now) => {
    const holders = holdersIn(state, now);
    return Object.hasOwn(holders, owner)
      ? { answer: true, next: heldBy({ ...holders, [owner]: leaseUntilEpochMs }, now) }
      : { answer: false };
  });

const release = ({ key, owner, shared }: Slot) =>
  shared.modify(`slots/${key}`, (state, now) => {
    const { [owner]: own, ...others } = holdersIn(state, now);
    return own === undefined
      ? { answer: undefined }
      : { answer: undefined, next: heldBy(others, now) };
  });
