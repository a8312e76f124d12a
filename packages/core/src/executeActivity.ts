/**
 * Executes one attempt of an activity: once recorded, its result is a fact and the effect is not run again.
 *
 * Under `strict` durability nothing starts before everything recorded so far is stored; the result itself waits for
 * the next flush, because a result that nothing has used can be lost without harm: the activity runs again.
 */
import { Cause, Context, Effect, Exit, LogLevel, References } from "effect";
import { type Activity, Workflow, WorkflowEngine } from "effect/workflow";
import { concealResult } from "./concealResult.ts";
import { Durability } from "./Durability.ts";
import { ActivityOutlivesProcess, DuplicateActivity } from "./EngineError.ts";
import { activityKey } from "./ExecutionState.ts";
import { FailureHandler } from "./FailureHandler.ts";
import type { ActivityCompleted, ActivityRole } from "./HistoryEvent.ts";
import { isSpilled } from "./LargeValues.ts";
import { yieldsMax } from "./Limits.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import { divergedAt, stopsForInterrupt } from "./divergedAt.ts";
import type { FindSuccess } from "./makeActivity.ts";
import { countRetry } from "./Metrics.ts";
import { PreviousFailures } from "./PreviousFailures.ts";
import type { RunContext } from "./RunContext.ts";
import { traceAttempt } from "./traceRun.ts";
import { Undoes } from "./Undoes.ts";
import { decodeActivityOutcome, encodeActivityResult, isSuccess } from "./WorkflowCodec.ts";

/** One attempt of an activity that the body of `live` asks for, inside the body's own fiber. */
export const executeActivity = (
  context: RunContext,
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
  activity: Activity.Any,
  attempt: number,
) => {
  const { name } = activity;
  const key = activityKey(name, attempt);
  if (live.replay?.askActivity(key) === false) {
    const { executionId, workflow } = instance;
    return Effect.die(
      new DuplicateActivity({ workflow: workflow._tag, executionId, activity: name }),
    );
  }
  // Replays are mostly this: it has to be cheap.
  const recorded = live.log?.findActivity(key);
  return recorded
    ? useResult(context, live, recorded)
    : Effect.provideContext(
        makeResult(context, live, instance, activity, attempt),
        context.outside,
      );
};

const makeResult = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
  activity: Activity.Any,
  attempt: number,
) {
  const { name } = activity;
  const key = activityKey(name, attempt);
  const { executionId, workflow } = instance;
  if (yield* stopsForInterrupt(live, instance)) return new Workflow.Suspended({});
  const strict = Context.get(workflow.annotations, Durability) === "strict";
  if (strict && (yield* live.orBreakDown(live.flush)) === "fenced") return yield* Effect.interrupt;
  // The flush may have met the result of a run before this one, which was on its way when this one loaded.
  const met = strict ? live.log?.findActivity(key) : undefined;
  if (met) return yield* useResult(context, live, met);
  const isHandler = Context.get(activity.annotations, FailureHandler);
  const mayDiverge = !live.bodyEnded && live.replay?.findUnasked(isHandler) !== undefined;
  if (mayDiverge && (yield* divergedAt(context, live, `"${name}"`, isHandler))) {
    return yield* Effect.interrupt;
  }
  if (context.replayOnly) {
    context.replayOnly(executionId, name);
    return new Workflow.Suspended({});
  }

  // Under strict durability what it depends on is stored; what else is on its way is others' business.
  const startedAfter = (strict ? live.log?.state.eventCount : live.log?.knownCount()) ?? 0;
  const startedAtEpochMs = context.clock.currentTimeMillisUnsafe();
  const result = concealResult(name, yield* run(live, instance, activity, attempt));
  // Only an end is a fact: what suspended or was interrupted runs again on the next replay.
  if (result._tag === "Suspended") {
    live.running.delete(key);
    return result;
  }
  if (Exit.isFailure(result.exit) && Cause.hasInterruptsOnly(result.exit.cause)) {
    // Of a compensation, too: recorded as its result, every replay would be interrupted there again.
    return yield* Effect.interrupt;
  }
  const encoded = yield* live.orBreakDown(context.spill.result(encodeActivityResult(result)));
  const atEpochMs = context.clock.currentTimeMillisUnsafe();
  live.log?.record({
    _tag: "ActivityCompleted",
    name,
    attempt,
    result: encoded,
    startedAfter,
    ...roleOf(activity, live),
    ...undoneBy(activity),
    startedAtEpochMs,
    atEpochMs,
  });
  live.running.delete(key);
  live.bodyClock?.advanceTo(atEpochMs);
  if (strict) yield* live.linger;
  return result.exit;
});

/** Runs the effect itself, in an instance of its own. */
const run = Effect.fnUntraced(function* (
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
  activity: Activity.Any,
  attempt: number,
) {
  const { name } = activity;
  const { executionId, workflow } = instance;
  const yields = live.log?.state.yields.get(activityKey(name, attempt)) ?? 0;
  if (yields >= yieldsMax) {
    const endless = { workflow: workflow._tag, executionId, activity: name, yields };
    return new Workflow.Complete({ exit: Exit.die(new ActivityOutlivesProcess(endless)) });
  }
  const activityInstance = WorkflowEngine.WorkflowInstance.initial(workflow, executionId);
  activityInstance.interrupted = instance.interrupted;
  if (LogLevel.isLessThanOrEqualTo(yield* References.MinimumLogLevel, "Debug")) {
    yield* logStart(live, name, attempt);
  }
  live.running.set(activityKey(name, attempt), { name, attempt });
  // Here and not where the failure is met, because a replay meets it again.
  if (attempt > 1) yield* countRetry((yield* PreviousFailures).at(-1));
  return yield* activity.executeEncoded.pipe(
    Workflow.intoResult,
    traceAttempt(live, name, attempt),
    // In one update: each copies what the context holds.
    Effect.updateContext((outer: Context.Context<never>) =>
      outer.pipe(
        Context.add(WorkflowEngine.WorkflowInstance, activityInstance),
        Context.add(References.CurrentLogAnnotations, {
          ...Context.get(outer, References.CurrentLogAnnotations),
          activity: name,
          attempt,
        }),
      ),
    ),
  );
});

const logStart = (live: LiveExecution, activity: string, attempt: number) =>
  Effect.annotateLogs(Effect.logDebug("activity started"), {
    executionId: live.executionId,
    key: live.started?.idempotencyKey,
    activity,
    attempt,
  });

const undoneBy = (activity: Activity.Any): { readonly undoes?: ReadonlyArray<string> } => {
  const undoes = Context.get(activity.annotations, Undoes);
  return undoes.length > 0 ? { undoes } : {};
};

const roleOf = (activity: Activity.Any, live: LiveExecution): { readonly role?: ActivityRole } => {
  if (live.bodyEnded) return { role: "compensation" };
  return Context.get(activity.annotations, FailureHandler) ? { role: "failure-handler" } : {};
};

const useResult = (
  context: RunContext,
  live: LiveExecution,
  recorded: typeof ActivityCompleted.Type,
) => {
  noteUse(live, recorded);
  return isSpilled(recorded.result)
    ? Effect.map(live.orBreakDown(context.restore.result(recorded.result)), decodeActivityOutcome)
    : Effect.succeed(decodeActivityOutcome(recorded.result));
};

const noteUse = (live: LiveExecution, recorded: typeof ActivityCompleted.Type): void => {
  live.bodyClock?.advanceTo(recorded.atEpochMs);
  live.replay?.sawResult(recorded);
};

/** What is recorded of an attempt, where that needs neither the `Activity` nor a store: most of what a replay asks for. */
export const findSuccess =
  (live: LiveExecution): FindSuccess =>
  (name, attempt) => {
    const key = activityKey(name, attempt);
    const recorded = live.log?.findActivity(key);
    if (!recorded || !isSuccess(recorded.result) || isSpilled(recorded.result)) return undefined;
    // A name that is asked for twice is refused where the activity is executed.
    if (live.replay?.askActivity(key) === false) return undefined;
    noteUse(live, recorded);
    return recorded.result.exit;
  };
