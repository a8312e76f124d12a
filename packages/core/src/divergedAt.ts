/**
 * Parks an execution whose body asks for something new while it has not asked for all that is recorded.
 */
import { Cause, Effect, Metric } from "effect";
import { HistoryDiverged } from "./EngineError.ts";
import { replayPatienceMs } from "./Limits.ts";
import { divergences } from "./Metrics.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import type { RunContext } from "./RunContext.ts";

/** Pause between two looks, in milliseconds. */
const lookAgainMs = 50;

/**
 * Whether the body, which asks for `asked`, has left out a recorded step. When it has, the run is stopped where it is
 * and will be parked. `failed`: the body is dealing with a failure of its own.
 */
export const divergedAt = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  asked: string,
  failed: boolean,
) {
  let unasked = live.replay?.findUnasked(failed);
  for (let waitedMs = 0; unasked && waitedMs < replayPatienceMs; waitedMs += lookAgainMs) {
    // A side branch may be about to ask for it.
    yield* Effect.sleep(lookAgainMs);
    unasked = live.replay?.findUnasked(failed);
  }
  if (unasked === undefined || live.log?.isFenced()) return false;
  const error = new HistoryDiverged({
    workflow: live.registered.workflow._tag,
    executionId: live.executionId,
    recorded: unasked,
    asked,
    recordedVersion: live.recordedVersion ?? "unknown",
    runningVersion: context.codeVersion,
  });
  yield* Metric.update(divergences, 1);
  yield* Effect.logError(error.message);
  live.parking ??= Cause.die(error);
  live.preempt();
  return true;
});
