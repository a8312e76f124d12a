/**
 * Small states that processes share under a key, each changed as a whole: what rate and concurrency limits stand on.
 *
 * A change is a pure function of the state and the time. The store calls it again when somebody else was faster, and
 * never applies it twice when an answer was lost. A state has an expiry, which whoever reads it compares; after that it
 * is as if it had never been.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";

/** What a change comes to: the answer for the caller, and the state from now on (none: it stays as it is). */
export interface Change<A> {
  readonly answer: A;
  readonly next?: { readonly state: string; readonly expiresEpochMs: number };
}

/** The store did not answer, or others kept changing the state. Nothing was changed, as far as it is known. */
export class SharedStateUnavailable extends Schema.TaggedError<SharedStateUnavailable>()(
  "SharedStateUnavailable",
  { key: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `the shared state "${this.key}" was not changed: ${adviceOn(this)}`;
  }
}

export class SharedState extends Context.Service<
  SharedState,
  {
    /** Changes the state of the key, which is JSON text, or `undefined` where there is none or it has expired. */
    readonly modify: <A>(
      key: string,
      change: (state: string | undefined, nowEpochMs: number) => Change<A>,
    ) => Effect.Effect<A, SharedStateUnavailable>;
  }
>()("@millrace/core/SharedState") {
  /** Shared by the fibers of this process only; expired states are dropped now and then. */
  static readonly layerMemory: Layer.Layer<SharedState> = Layer.sync(SharedState, () => {
    const states = new Map<string, NonNullable<Change<unknown>["next"]>>();
    let changes = 0;
    const sweep = (nowEpochMs: number) => {
      for (const [key, { expiresEpochMs }] of states) {
        if (expiresEpochMs <= nowEpochMs) states.delete(key);
      }
    };
    return SharedState.of({
      modify: (key, change) =>
        Effect.map(Clock.currentTimeMillis, (nowEpochMs) => {
          if (++changes % sweepEvery === 0) sweep(nowEpochMs);
          const held = states.get(key);
          const isValid = held !== undefined && nowEpochMs < held.expiresEpochMs;
          const { answer, next } = change(isValid ? held.state : undefined, nowEpochMs);
          if (next) states.set(key, next);
          return answer;
        }),
    });
  });
}

/** Changes between two sweeps of the memory: the sweep's cost stays a small part of them. */
const sweepEvery = 1_000;
