/**
 * The clock that a workflow's body reads: it stands at the latest fact that the body has seen.
 *
 * A body is run again over its history, on another machine and at another time, and must take the same turns. So its
 * "now" is the instant recorded with the last result it consumed (the start, at first), the same in every replay.
 * Waiting is left to the real clock; activities are run with the real clock altogether.
 */
import { type Clock, Effect } from "effect";

export interface WorkflowClock {
  readonly clock: Clock.Clock;
  /** Moves "now" forward to the instant of a consumed fact; an earlier instant changes nothing. */
  readonly advanceTo: (atEpochMs: number) => void;
}

/** A clock for one run of a body, beginning at the execution's recorded start. */
export const makeWorkflowClock = (real: Clock.Clock, startedAtEpochMs: number): WorkflowClock => {
  let nowEpochMs = startedAtEpochMs;
  const nanos = () => BigInt(Math.trunc(nowEpochMs)) * 1_000_000n;
  return {
    clock: {
      currentTimeMillisUnsafe: () => nowEpochMs,
      currentTimeMillis: Effect.sync(() => nowEpochMs),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: real.monotonicTimeNanos,
      sleep: (duration) => real.sleep(duration),
    },
    advanceTo: (atEpochMs) => {
      nowEpochMs = Math.max(nowEpochMs, atEpochMs);
    },
  };
};
