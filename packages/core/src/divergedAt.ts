/**
 * What a body does that asks for something new while it has not asked for all that is recorded: it waits for its side
 * branches, and is parked when none of them asks.
 */
import { Cause, Effect, Metric } from "effect";
import { HistoryDiverged } from "./EngineError.ts";
import { replayPatienceMs } from "./Limits.ts";
import { divergences } from "./Metrics.ts";
import type { WorkflowEngine } from "effect/workflow";
import type { LiveExecution } from "./LiveExecution.ts";
import type { RunContext } from "./RunContext.ts";

/** Pause between two looks, in milliseconds. */
const lookAgainMs = 50;

/** Waits for side branches that may be about to ask for what is recorded; gives what nobody has asked for in the end. */
const awaitUnasked = Effect.fnUntraced(function* (live: LiveExecution, failed: boolean) {
  let unasked = live.replay?.findUnasked(failed);
  for (let waitedMs = 0; unasked && waitedMs < replayPatienceMs;) {
    yield* Effect.sleep(lookAgainMs);
    unasked = live.replay?.findUnasked(failed);
    // A store may take its time over a child's history, or over a large value: that is not the body's hesitation.
    if (live.awaited === 0) waitedMs += lookAgainMs;
  }
  return unasked;
});

/**
 * Whether the body is run only to rebuild its compensations, because it is to be interrupted: then it stops here, but not
 * before all branches have come as far as the history goes. One cut off before that would not compensate what it did.
 */
export const stopsForInterrupt = (
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
): Effect.Effect<boolean> => {
  const isPending = live.log?.state.interrupt !== "none" && !instance.interrupted;
  return isPending && !live.bodyEnded
    ? Effect.as(awaitUnasked(live, false), true)
    : Effect.succeed(false);
};

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
  const unasked = yield* awaitUnasked(live, failed);
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
