/** A clock for tests of executions: pauses pass, and it is always the same time: two executions begin at the same instant. */
import { Clock, Effect } from "effect";

export const standingClock = Effect.map(Clock.Clock, (live): Clock.Clock => ({
  currentTimeMillisUnsafe: () => 0,
  currentTimeMillis: Effect.succeed(0),
  currentTimeNanosUnsafe: () => 0n,
  currentTimeNanos: Effect.succeed(0n),
  monotonicTimeNanosUnsafe: () => 0n,
  monotonicTimeNanos: Effect.succeed(0n),
  sleep: (duration) => live.sleep(duration),
}));
