/**
 * Runs a workflow's body once over its history, and says how it left: with a result, suspended, or not at all.
 */
import { Cause, Clock, Context, Effect, Exit, Fiber, Random, References, Scope } from "effect";
import { Workflow, WorkflowEngine } from "effect/workflow";
import { BodyReplay } from "./BodyReplay.ts";
import { divergedAt } from "./divergedAt.ts";
import { findSuccess } from "./executeActivity.ts";
import { initialState } from "./ExecutionState.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import { RecordedSuccesses } from "./makeActivity.ts";
import type { RunContext } from "./RunContext.ts";
import { makeWorkflowClock } from "./WorkflowClock.ts";
import { makeWorkflowRandom } from "./WorkflowRandom.ts";
import { ExecutionRedrives, ExecutionVersion } from "./WorkflowVersion.ts";

/** Runs the body once; `undefined` when the run was abandoned. */
export const runBody = Effect.fnUntraced(function* (context: RunContext, live: LiveExecution) {
  const { executionId, registered, started } = live;
  if (!started) return undefined;
  const { codec, execute, workflow } = registered;
  const json = yield* context.restore.value(started.payload);
  const payload = yield* Effect.orDie(codec.decodePayload(json));
  const instance = WorkflowEngine.WorkflowInstance.initial(workflow, executionId, {
    scope: Scope.forkUnsafe(context.scopes.of(executionId)),
  });
  const bodyClock = makeWorkflowClock(context.clock, started.atEpochMs);
  live.instances.push(instance);
  live.bodyClock = bodyClock;
  live.bodyEnded = false;
  live.preempted = false;
  live.running.clear();
  live.replay = new BodyReplay(live.log?.state ?? initialState());
  const body = execute(payload, executionId).pipe(
    Effect.provideContext(
      Context.make(Clock.Clock, bodyClock.clock).pipe(
        Context.add(Random.Random, makeWorkflowRandom(executionId)),
        // Its replays would make its spans again; activities are traced where they are really done.
        Context.add(References.TracerEnabled, false),
        Context.add(RecordedSuccesses, findSuccess(live)),
        Context.add(ExecutionVersion, started.version ?? 1),
        Context.add(ExecutionRedrives, live.log?.state.redriveCount ?? 0),
      ),
    ),
    Effect.onExit((exit) => leaveBody(context, live, instance, exit)),
    Workflow.intoResult,
    Effect.provideService(WorkflowEngine.WorkflowEngine, context.engine),
    (effect) => context.deferreds.trackRun(instance, effect),
  );
  const fiber = yield* Effect.forkChild(body);
  live.bodyFiber = fiber;
  const exit = yield* Effect.onInterrupt(Fiber.await(fiber), () => {
    live.closing = true;
    return Fiber.interrupt(fiber);
  });
  live.bodyFiber = undefined;
  if (Exit.isSuccess(exit)) return exit.value;
  if (live.breakdown || live.log?.isFenced() || instance.abandoned) return undefined;
  // A completion preempted the run: it was interrupted so that a replay sees the completion.
  if (instance.suspended) return new Workflow.Suspended({});
  return yield* exit;
});

/** The body came to an end: compensations and finalizers are next, unless it was the wrong body. */
const leaveBody = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
  exit: Exit.Exit<unknown, unknown>,
) {
  const byItself = Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause);
  const asked = Exit.isSuccess(exit) ? "its end" : "its failure";
  if (byItself && (yield* divergedAt(context, live, asked, Exit.isFailure(exit)))) {
    instance.suspended = true;
    return yield* interruptSelf;
  }
  yield* interruptWhereAsked(live, instance, exit);
});

const interruptSelf = Effect.withFiber((fiber) => Effect.interruptible(Fiber.interrupt(fiber)));

/** The body ended interrupted and nobody here did that to it: a child was interrupted, say. That is how it ended. */
const isBodysOwnInterrupt = (
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
  exit: Exit.Exit<unknown, unknown>,
): boolean =>
  Exit.isFailure(exit) &&
  Cause.hasInterruptsOnly(exit.cause) &&
  !(instance.suspended || instance.abandoned || live.closing || live.breakdown) &&
  live.log?.isFenced() === false;

/**
 * A safe interrupt takes effect only where the run would suspend, an unsafe one even where a replay would complete.
 * It is raised inside the run, so that compensations and finalizers see it.
 */
const interruptWhereAsked = (
  live: LiveExecution,
  instance: WorkflowEngine.WorkflowInstance["Service"],
  exit: Exit.Exit<unknown, unknown>,
): Effect.Effect<void> => {
  const asked = live.log?.state.interrupt ?? "none";
  live.bodyEnded = true;
  if (isBodysOwnInterrupt(live, instance, exit)) {
    instance.interrupted = true;
    return Effect.void;
  }
  if (asked === "none" || live.log?.isFenced()) return Effect.void;
  // In a fiber that was interrupted already no compensation could wait for anything: the replay does it.
  if (live.preempted && instance.suspended) return Effect.void;
  const parksOnFailure =
    Exit.isFailure(exit) && Context.get(instance.workflow.annotations, Workflow.SuspendOnFailure);
  if (asked === "safe" && !instance.suspended && !parksOnFailure) return Effect.void;
  instance.interrupted = true;
  instance.suspended = false;
  return interruptSelf;
};
