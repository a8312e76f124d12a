/**
 * Executes one attempt of an activity: once recorded, its result is a fact and the effect is not run again.
 *
 * Under `strict` durability nothing starts before everything recorded so far is stored; the result itself waits for
 * the next flush, because a result that nothing has used can be lost without harm: the activity runs again.
 */
import { Cause, Clock, Context, Effect, Exit } from "effect";
import { type Activity, Workflow, WorkflowEngine } from "effect/workflow";
import { Durability } from "./Durability.ts";
import { activityKey } from "./ExecutionState.ts";
import { FailureHandler } from "./FailureHandler.ts";
import type { ActivityCompleted, ActivityRole, HistoryEvent } from "./HistoryEvent.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import { decodeActivityResult, encodeActivityResult } from "./WorkflowCodec.ts";

export const executeActivity = Effect.fnUntraced(function* (
  live: LiveExecution,
  clock: Clock.Clock,
  activity: Activity.Any,
  attempt: number,
) {
  const instance = yield* WorkflowEngine.WorkflowInstance;
  const recorded = findResult(live, activity.name, attempt);
  if (recorded) return useResult(live, recorded);
  // A pending interrupt replays only to rebuild compensations, which run once `interrupted` is set.
  const interruptPending = live.log?.state.interrupt !== "none" && !instance.interrupted;
  if (interruptPending && !live.bodyEnded) return new Workflow.Suspended({});
  const strict = Context.get(instance.workflow.annotations, Durability) === "strict";
  if (strict && (yield* live.orBreakDown(live.flush)) === "fenced") return yield* Effect.interrupt;
  // The flush may have met the result of a run before this one, which was on its way when this one loaded.
  const met = strict ? findResult(live, activity.name, attempt) : undefined;
  if (met) return useResult(live, met);

  // Under strict durability what it depends on is stored; what else is on its way is others' business.
  const startedAfter = (strict ? live.log?.state.eventCount : live.log?.knownCount()) ?? 0;
  const startedAtEpochMs = clock.currentTimeMillisUnsafe();
  const activityInstance = WorkflowEngine.WorkflowInstance.initial(
    instance.workflow,
    instance.executionId,
  );
  activityInstance.interrupted = instance.interrupted;
  yield* Effect.logDebug("activity started").pipe(
    Effect.annotateLogs({
      executionId: instance.executionId,
      key: live.started?.idempotencyKey,
      activity: activity.name,
      attempt,
    }),
  );
  const result = yield* activity.executeEncoded.pipe(
    Workflow.intoResult,
    Effect.provideService(WorkflowEngine.WorkflowInstance, activityInstance),
    Effect.provideService(Clock.Clock, clock),
  );
  // Only an end is a fact: what suspended or was interrupted runs again on the next replay.
  if (result._tag === "Suspended") return result;
  if (Exit.isFailure(result.exit) && Cause.hasInterruptsOnly(result.exit.cause)) {
    // Of a compensation, too: recorded as its result, every replay would be interrupted there again.
    return yield* Effect.interrupt;
  }
  const atEpochMs = clock.currentTimeMillisUnsafe();
  live.log?.record({
    _tag: "ActivityCompleted",
    name: activity.name,
    attempt,
    result: encodeActivityResult(result),
    startedAfter,
    ...roleOf(activity, live),
    startedAtEpochMs,
    atEpochMs,
  });
  live.bodyClock?.advanceTo(atEpochMs);
  if (strict) yield* live.linger;
  return result;
});

const roleOf = (activity: Activity.Any, live: LiveExecution): { readonly role?: ActivityRole } => {
  if (live.bodyEnded) return { role: "compensation" };
  return Context.get(activity.annotations, FailureHandler) ? { role: "failure-handler" } : {};
};

const useResult = (live: LiveExecution, recorded: typeof ActivityCompleted.Type) => {
  live.bodyClock?.advanceTo(recorded.atEpochMs);
  return decodeActivityResult(recorded.result);
};

const findResult = (live: LiveExecution, name: string, attempt: number) =>
  live.log?.state.activities.get(activityKey(name, attempt)) ??
  live.log?.findRecorded(
    (event): event is Extract<HistoryEvent, { _tag: "ActivityCompleted" }> =>
      event._tag === "ActivityCompleted" && event.name === name && event.attempt === attempt,
  );
