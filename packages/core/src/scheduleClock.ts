/**
 * Schedules a durable sleep: the first deadline is a fact, and every replay asks for its timer again until it has fired.
 */
import { Duration, Effect, Option } from "effect";
import { WorkflowEngine } from "effect/workflow";
import { divergedAt } from "./divergedAt.ts";
import { isClockScheduled } from "./LiveExecution.ts";
import type { LiveExecutions } from "./LiveExecutions.ts";
import type { RunContext } from "./RunContext.ts";

export const scheduleClock = Effect.fnUntraced(function* (
  context: RunContext,
  lives: LiveExecutions,
  { clock, executionId }: Parameters<WorkflowEngine.Encoded["scheduleClock"]>[1],
) {
  const live = lives.find(executionId);
  const log = live?.log;
  if (!live || !log) return;
  live.replay?.askClock(clock.name);
  if (live.deferredOf(clock.deferred.name)) return;
  const recorded = log.state.clocks.get(clock.name);
  // Stored by an earlier run, which may have died before it asked for the timer. The first deadline stands.
  if (recorded) return yield* live.orBreakDown(live.askTimerAgain(recorded));
  // Recorded by a run just before this one that was not stored, because a wake overtook it: asked for when stored.
  if (log.findRecorded(isClockScheduled(clock.name))) return;
  const self = yield* Effect.serviceOption(WorkflowEngine.WorkflowInstance);
  const inActivity = Option.isSome(self) && self.value !== live.instance;
  if (!inActivity && (yield* divergedAt(context, live, `the sleep "${clock.name}"`, false))) {
    return yield* Effect.interrupt;
  }
  if (context.replayOnly) return context.replayOnly(executionId, clock.name);
  const now = context.clock.currentTimeMillisUnsafe();
  log.record({
    _tag: "ClockScheduled",
    name: clock.name,
    deferred: clock.deferred.name,
    wakeAtEpochMs: Math.ceil(now + Duration.toMillis(clock.duration)),
    ...(inActivity && { inActivity }),
    atEpochMs: now,
  });
  yield* live.linger;
});
