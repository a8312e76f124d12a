/**
 * Advances one execution as far as it goes: load, decide, run the body over its history, store how the run ended.
 *
 * The loop runs the body again when something arrived that it may be waiting for; otherwise it leaves a stored
 * `Suspended` or `Completed` behind. It never waits for what comes from outside.
 */
import { Cause, Clock, Context, Deferred, Effect, Exit, Fiber, Random, Scope } from "effect";
import { Workflow, WorkflowEngine } from "effect/workflow";
import { askAgain } from "./askAgain.ts";
import { BodyReplay } from "./BodyReplay.ts";
import { type AdvanceRequest, decideAdvance } from "./Decision.ts";
import { divergedAt } from "./divergedAt.ts";
import { makeExecutionLog } from "./ExecutionLog.ts";
import { type ExecutionState, evolveCommits, initialState } from "./ExecutionState.ts";
import type { ExecutionStarted } from "./HistoryEvent.ts";
import type { Journal } from "./Journal.ts";
import type { ValueSpill } from "./LargeValues.ts";
import { yieldMarginMs } from "./Limits.ts";
import { type Advance, type LiveExecution, ProcessDeadline } from "./LiveExecution.ts";
import type { Wakes } from "./Wakes.ts";
import { makeWorkflowClock } from "./WorkflowClock.ts";
import { makeWorkflowRandom } from "./WorkflowRandom.ts";
import { ExecutionVersion } from "./WorkflowVersion.ts";

/** What the run loop needs of the engine around it. */
export interface RunContext {
  readonly journal: Journal["Service"];
  readonly wakes: Wakes["Service"];
  readonly engine: WorkflowEngine.WorkflowEngine["Service"];
  readonly deferreds: WorkflowEngine.DeferredState;
  /** The process's clock; the body's own stands at recorded instants. */
  readonly clock: Clock.Clock;
  readonly owner: string;
  readonly codeVersion: string;
  /** Runs nothing that is not recorded, and hears of it instead: for checking histories against code. */
  readonly replayOnly: ((executionId: string, step: string) => void) | undefined;
  /** What the engine and activities see where a body sees its replay-stable clock and randomness. */
  readonly outside: Context.Context<never>;
  /** Puts values that are too large beside the journal. */
  readonly spill: ValueSpill;
  /** Brings them back. */
  readonly restore: ValueSpill;
  /** Lease of a run in a process that has no deadline. */
  readonly leaseMs: number;
  readonly nextWriter: () => string;
  /** Takes over what an earlier process left open of a workflow. */
  readonly adopt: (workflow: string) => Effect.Effect<void>;
  /** Brings the index of executions up to date with a state at which a run stopped. */
  readonly project: (executionId: string, state: ExecutionState) => Effect.Effect<void>;
  /**
   * The scope that outlives the runs of an execution. A process that stays keeps it until the execution ends, so that
   * resources of suspended runs live on; one that may be frozen closes it with every suspension.
   */
  readonly scopes: {
    readonly of: (executionId: string) => Scope.Closeable;
    readonly release: (
      live: LiveExecution,
      stop: "ended" | "suspended" | "fenced",
    ) => Effect.Effect<void>;
  };
}

/** Loads an execution's state: one query. */
export const loadState = (journal: Journal["Service"], executionId: string) =>
  Effect.map(askAgain(journal.load(executionId, 0)), (commits) => {
    const state = initialState();
    evolveCommits(state, commits);
    return state;
  });

/** Runs the live execution to its next stop. */
export const runExecution = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  request: AdvanceRequest,
) {
  const { clock, journal, owner } = context;
  const { executionId } = live;
  const state = yield* Effect.orDie(loadState(journal, executionId));
  live.open(
    makeExecutionLog({ journal, executionId, owner, state, nextWriter: context.nextWriter }),
  );
  const { facts, run, timers } = decideAdvance(state, request, {
    owner,
    nowEpochMs: clock.currentTimeMillisUnsafe(),
  });
  live.recordedVersion = state.codeVersion;
  live.started = state.started ?? (request._tag === "Start" ? request.start : undefined);
  live.log?.record(...facts);
  if (run._tag === "Run") yield* recordRunStarted(context, live);
  Deferred.doneUnsafe(live.opened, Effect.succeed(live.log));
  for (const timer of timers) yield* live.askTimerAgain(timer);
  if (run._tag === "Run") {
    if (!state.started && live.started?.parent) {
      yield* announceChild(context, executionId, state, live.started);
    }
    const deadline = yield* ProcessDeadline;
    if (deadline !== undefined) yield* Effect.forkChild(yieldInTime(context, live, deadline));
    return yield* runUntilStop(context, live);
  }
  const advance: Advance =
    facts.length > 0 && (yield* live.flush) === "fenced"
      ? { _tag: "Fenced" }
      : { _tag: "NotRun", reason: run };
  return advance;
});

/**
 * A child is begun by its parent's message. When this process dies and the parent never comes back to the child (it was
 * interrupted meanwhile), only the sweeper finds it: so its row is there before the child is.
 */
const announceChild = (
  context: RunContext,
  executionId: string,
  state: ExecutionState,
  started: typeof ExecutionStarted.Type,
): Effect.Effect<void> => context.project(executionId, { ...state, started });

const recordRunStarted = Effect.fnUntraced(function* (context: RunContext, live: LiveExecution) {
  const now = context.clock.currentTimeMillisUnsafe();
  const deadline = yield* ProcessDeadline;
  live.log?.record({
    _tag: "RunStarted",
    owner: context.owner,
    codeVersion: context.codeVersion,
    leaseUntilEpochMs: deadline ?? now + context.leaseMs,
    atEpochMs: now,
  });
});

/** Stops the body when the process comes near its end. */
const yieldInTime = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  deadlineEpochMs: number,
) {
  const leftMs = deadlineEpochMs - context.clock.currentTimeMillisUnsafe();
  yield* Effect.sleep(Math.max(0, leftMs - Math.min(yieldMarginMs, leftMs / 5)));
  live.yielding = true;
  live.preempt();
});

/** Runs the body again and again until its end, or a suspension that nothing has overtaken, is stored. */
const runUntilStop = Effect.fnUntraced(function* (context: RunContext, live: LiveExecution) {
  const { log } = live;
  if (!log) return { _tag: "Fenced" } satisfies Advance;
  while (true) {
    live.wakeRequested = undefined;
    live.parking = undefined;
    log.takeArrivals();
    const ran = yield* runBody(context, live);
    const result = live.parking
      ? new Workflow.Suspended({ failed: true, cause: live.parking })
      : ran;
    if (live.breakdown) {
      yield* context.scopes.release(live, "fenced");
      return yield* Effect.failCause(live.breakdown);
    }
    if (log.isFenced() || !result) {
      yield* context.scopes.release(live, "fenced");
      return { _tag: "Fenced" } satisfies Advance;
    }
    if (live.yielding && result._tag === "Suspended" && !result.failed) {
      return yield* giveUpToNext(context, live, result);
    }
    if (log.takeReplay()) continue;
    const atEpochMs = context.clock.currentTimeMillisUnsafe();
    if (result._tag === "Complete") {
      const encoded = yield* Effect.orDie(live.registered.codec.encodeResult(result));
      log.record({ _tag: "Completed", result: yield* context.spill.result(encoded), atEpochMs });
    } else {
      // Something arrived while the body ran: look again instead of storing a suspension that is already over.
      const arrived = log.takeArrivals();
      if ((live.wakeRequested || arrived) && !result.failed) continue;
      const encoded = yield* Effect.orDie(live.registered.codec.encodeResult(result));
      log.record({ _tag: "Suspended", result: encoded, failed: result.failed ?? false, atEpochMs });
    }
    if ((yield* live.flush) === "fenced") {
      yield* context.scopes.release(live, "fenced");
      return { _tag: "Fenced" } satisfies Advance;
    }
    if (log.takeReplay()) continue;
    if (result._tag === "Suspended" && shouldRunAgain(live, result.failed ?? false)) {
      yield* recordRunStarted(context, live);
      continue;
    }
    yield* context.scopes.release(live, result._tag === "Complete" ? "ended" : "suspended");
    return { _tag: "Ended", result } satisfies Advance;
  }
});

/** A checkpoint: what there is, is stored; the lease is free, and the next process is asked to go on. */
const giveUpToNext = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  result: Workflow.Suspended,
) {
  const { executionId, registered, running } = live;
  live.log?.record({
    _tag: "RunYielded",
    owner: context.owner,
    unfinished: [...running.values()],
    atEpochMs: context.clock.currentTimeMillisUnsafe(),
  });
  const stored = (yield* live.flush) === "stored";
  yield* context.scopes.release(live, stored ? "suspended" : "fenced");
  if (!stored) return { _tag: "Fenced" } satisfies Advance;
  yield* context.wakes.wake({ workflow: registered.workflow._tag, executionId }, "automatic");
  return { _tag: "Ended", result } satisfies Advance;
});

/** A wake that came while the suspension was being stored. One that only became true does not rouse a parked failure. */
const shouldRunAgain = (live: LiveExecution, failed: boolean): boolean =>
  live.wakeRequested === "explicit" || (live.wakeRequested === "automatic" && !failed);

/** Runs the body once; `undefined` when the run was abandoned. */
const runBody = Effect.fnUntraced(function* (context: RunContext, live: LiveExecution) {
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
    Effect.provideService(Clock.Clock, bodyClock.clock),
    Effect.provideService(Random.Random, makeWorkflowRandom(executionId)),
    Effect.provideService(ExecutionVersion, started.version ?? 1),
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
