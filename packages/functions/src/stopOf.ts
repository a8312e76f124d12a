/**
 * The end of an abort signal's patience, as an effect: what ProcessStop waits for.
 */
import { Effect } from "effect";

export const stopOf = (signal: AbortSignal): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const stop = () => {
      resume(Effect.void);
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    return Effect.sync(() => {
      signal.removeEventListener("abort", stop);
    });
  });
