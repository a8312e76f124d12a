/**
 * Advances one execution as far as it goes: load, decide, run the body over its history, store how the run ended.
 *
 * The loop runs the body again when something arrived that it may be waiting for; otherwise it leaves a stored
 * `Suspended` or `Completed` behind. It never waits for what comes from outside.
 */
import { Deferred, Effect } from "effect";
import { Workflow } from "effect/workflow";
import { type AdvanceRequest, decideAdvance, standsStill } from "./Decision.ts";
import { makeExecutionLog } from "./ExecutionLog.ts";
import type { ExecutionState } from "./ExecutionState.ts";
import type { ExecutionStarted } from "./HistoryEvent.ts";
import { yieldMarginMs } from "./Limits.ts";
import { type Advance, type LiveExecution, ProcessDeadline, ProcessStop } from "./LiveExecution.ts";
import { loadState } from "./loadState.ts";
import { runBody } from "./runBody.ts";
import type { RunContext } from "./RunContext.ts";
import { annotateRun, linkRun } from "./traceRun.ts";

/** Runs the live execution to its next stop. */
export const runExecution = Effect.fnUntraced(function* (
  context: RunContext,
  live: LiveExecution,
  request: AdvanceRequest,
) {
  const { clock, journal, owner } = context;
  const { executionId } = live;
  const state = yield* Effect.orDie(
    loadState(journal, executionId, context.states.find(executionId)),
  );
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
    const stop = yield* ProcessStop;
    if (deadline !== undefined) yield* Effect.forkChild(yieldInTime(context, live, deadline));
    if (stop) yield* Effect.forkChild(Effect.andThen(stop, yieldNow(live, "told to stop")));
    return yield* annotateRun(live)(runUntilStop(context, live));
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
    ...(yield* linkRun(live.log?.state)),
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
  yield* yieldNow(live, "its time is over");
});

const yieldNow = (
  live: LiveExecution,
  why: NonNullable<LiveExecution["yielding"]>,
): Effect.Effect<void> =>
  Effect.sync(() => {
    live.yielding ??= why;
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
    // The process's end came while the last run was being stored.
    if (live.yielding) return yield* giveUpToNext(context, live, new Workflow.Suspended({}));
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
    // A pause that came meanwhile lets the turn end here; its end asks for a run.
    const isOver = result._tag === "Complete" || standsStill(log.state);
    if (!isOver && shouldRunAgain(live, result.failed ?? false)) {
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
    ...(live.yielding === "told to stop" && { toldToStop: true }),
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
