/**
 * The operations of Effect's low-level engine contract, over live executions and the journal.
 */
import { Deferred, Effect, Exit, Option } from "effect";
import { type Activity, Workflow, WorkflowEngine } from "effect/workflow";
import { appendFact } from "./appendFact.ts";
import { acceptsDeferred, acceptsInterrupt } from "./Decision.ts";
import { HistoryMismatch, IdempotencyKeyConflict } from "./EngineError.ts";
import { stopsForInterrupt } from "./divergedAt.ts";
import { executeActivity } from "./executeActivity.ts";
import { afterLeaseMs } from "./Limits.ts";
import { initialState } from "./ExecutionState.ts";
import type { HistoryEvent } from "./HistoryEvent.ts";
import type { LiveExecutions } from "./LiveExecutions.ts";
import type { RunContext } from "./RunContext.ts";
import { loadState } from "./loadState.ts";
import { scheduleClock } from "./scheduleClock.ts";
import { startExecution } from "./startExecution.ts";
import {
  type ActivityOutcome,
  decodeDeferredExit,
  encodeDeferredExit,
  makeWorkflowCodec,
} from "./WorkflowCodec.ts";

/** The engine's implementation of `WorkflowEngine.Encoded`. */
export const makeEncodedEngine = (
  context: RunContext,
  lives: LiveExecutions,
): WorkflowEngine.Encoded => {
  /** What bodies ask for is done with the process's own clock and randomness, not with the body's. */
  const outside = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideContext(effect, context.outside);
  /** What is asked about other executions: when a body asks, an outage breaks its run down, and is not its failure. */
  const forAsker = <A>(part: Effect.Effect<A>): Effect.Effect<A> =>
    Effect.flatMap(Effect.serviceOption(WorkflowEngine.WorkflowInstance), (asker) => {
      const live = Option.isSome(asker) ? lives.find(asker.value.executionId) : undefined;
      return live?.orBreakDown(part) ?? part;
    });
  return {
    register: Effect.fnUntraced(function* (workflow, execute) {
      lives.registered.set(workflow._tag, {
        workflow,
        execute,
        codec: makeWorkflowCodec(workflow),
        scope: yield* Effect.scope,
      });
      yield* Effect.forkScoped(context.adopt(workflow._tag));
    }),

    execute: execute(context, lives),

    poll: Effect.fnUntraced(function* (workflow, executionId) {
      if (lives.find(executionId)) return Option.none();
      const state = yield* forAsker(Effect.orDie(loadState(context.journal, executionId)));
      const stop = state.completed ?? state.suspended;
      if (!stop) return Option.none();
      const json = yield* forAsker(context.restore.result(stop.result));
      return Option.some(yield* decodeResult(workflow, executionId, json));
    }),

    interrupt: (workflow, executionId) =>
      forAsker(interrupt(context, lives, workflow, executionId, false)),
    interruptUnsafe: (workflow, executionId) =>
      forAsker(interrupt(context, lives, workflow, executionId, true)),

    resume: (workflow, executionId) =>
      forAsker(wake(context, lives, workflow._tag, executionId, "explicit")),

    awaitComplete: (_workflow, executionId) => lives.awaitCompletion(executionId),

    activityExecute: (activity, attempt) =>
      Effect.map(askForActivity(context, lives, activity, attempt), (outcome) =>
        Exit.isExit(outcome) ? new Workflow.Complete({ exit: outcome }) : outcome,
      ),

    deferredResult: Effect.fnUntraced(function* (deferred) {
      const live = yield* currentLive(lives);
      const instance = yield* WorkflowEngine.WorkflowInstance;
      const done = live.deferredOf(deferred.name);
      if (!done) {
        yield* stopsForInterrupt(live, instance);
        return Option.none();
      }
      live.bodyClock?.advanceTo(done.atEpochMs);
      live.replay?.sawDeferred(done);
      return Option.some(
        decodeDeferredExit(yield* live.orBreakDown(context.restore.exit(done.exit))),
      );
    }, outside),

    deferredDone: (options) => outside(forAsker(deferredDone(context, lives, options))),

    scheduleClock: (_workflow, options) => outside(scheduleClock(context, lives, options)),
  };
};

/** An attempt of an activity, for the body that the fiber runs. */
export const askForActivity = (
  context: RunContext,
  lives: LiveExecutions,
  activity: Activity.Any,
  attempt: number,
): Effect.Effect<ActivityOutcome, never, WorkflowEngine.WorkflowInstance> =>
  Effect.flatMap(WorkflowEngine.WorkflowInstance, (instance) => {
    const live = lives.find(instance.executionId);
    // A fiber that outlived its run has no history to read or write any more.
    return live ? executeActivity(context, live, instance, activity, attempt) : Effect.interrupt;
  });

const execute = (context: RunContext, lives: LiveExecutions): WorkflowEngine.Encoded["execute"] => {
  /** The result of a run that ended here, or of the stop that an earlier run stored. */
  const run = Effect.fnUntraced(function* (
    workflow: Workflow.Any,
    options: Parameters<WorkflowEngine.Encoded["execute"]>[1],
  ) {
    const { detached, executionId, parent, payload } = options;
    const { live: first, start } = yield* Effect.orDie(
      startExecution(context, lives, {
        workflow,
        executionId,
        payload,
        parent:
          parent && !detached
            ? { workflow: parent.workflow._tag, executionId: parent.executionId }
            : undefined,
      }),
    );
    // A child that could not be brought to a stop says nothing about its parent: the parent's run breaks down with it.
    const caller = parent && lives.find(parent.executionId);
    const orBreakDown = <A>(part: Effect.Effect<A>) => caller?.orBreakDown(part) ?? part;
    if (options.discard) {
      yield* orBreakDown(Effect.raceFirst(first.storeStart, Deferred.await(first.ended)));
    }
    const isStored = options.discard && first.log?.state.started;
    const { advance, live } = isStored
      ? { advance: undefined, live: first }
      : yield* orBreakDown(first.settled);
    const state = live.log?.state ?? initialState();
    if (state.started && state.started.payloadHash !== start.payloadHash) {
      const { idempotencyKey } = start;
      return yield* Effect.die(
        new IdempotencyKeyConflict({ workflow: workflow._tag, executionId, idempotencyKey }),
      );
    }
    if (advance?._tag === "Ended") return advance.result;
    if (caller && advance?._tag === "NotRun" && advance.reason._tag === "Leased") {
      // A child begun by a parent's run has no message of its own: when its owner has died, nobody else comes back.
      const target = { workflow: workflow._tag, executionId };
      const notBeforeEpochMs = advance.reason.leaseUntilEpochMs + afterLeaseMs;
      yield* orBreakDown(context.wakes.wake(target, "automatic", notBeforeEpochMs));
    }
    const stop = state.completed ?? state.suspended;
    if (!stop || advance?._tag !== "NotRun") return new Workflow.Suspended({});
    const json = yield* orBreakDown(context.restore.result(stop.result));
    return yield* decodeResult(workflow, executionId, json);
  });
  const outside: typeof run = (workflow, options) =>
    Effect.provideContext(run(workflow, options), context.outside);
  return outside as WorkflowEngine.Encoded["execute"];
};

/** Stores the first completion of a deferred, then rouses whoever runs the execution. */
const deferredDone = Effect.fnUntraced(function* (
  context: RunContext,
  lives: LiveExecutions,
  options: Parameters<WorkflowEngine.Encoded["deferredDone"]>[0],
) {
  const { deferredName, executionId, workflowName } = options;
  const exit = yield* context.spill.exit(encodeDeferredExit(options.exit));
  const live = lives.find(executionId);
  const log = live && (yield* Deferred.await(live.opened));
  if (live && log && lives.find(executionId) === live) {
    const self = yield* Effect.serviceOption(WorkflowEngine.WorkflowInstance);
    const own = Option.isSome(self) && self.value.executionId === executionId;
    if (own) return yield* lives.completeOwnDeferred(live, deferredName, exit);
    if (yield* lives.completeDeferred(live, deferredName, exit)) return;
  }
  yield* storeFact(context, executionId, (state) =>
    acceptsDeferred(state, deferredName)
      ? [
          {
            _tag: "DeferredDone",
            name: deferredName,
            exit,
            atEpochMs: context.clock.currentTimeMillisUnsafe(),
          },
        ]
      : [],
  );
  yield* wake(context, lives, workflowName, executionId, "automatic");
});

/** Stores the request, then asks for a run in which it takes effect. */
const interrupt = Effect.fnUntraced(function* (
  context: RunContext,
  lives: LiveExecutions,
  workflow: Workflow.Any,
  executionId: string,
  unsafe: boolean,
) {
  const live = lives.find(executionId);
  const log = live && (yield* Deferred.await(live.opened));
  const atEpochMs = context.clock.currentTimeMillisUnsafe();
  const decide = (state: Parameters<typeof acceptsInterrupt>[0]): ReadonlyArray<HistoryEvent> =>
    acceptsInterrupt(state, unsafe) ? [{ _tag: "InterruptRequested", unsafe, atEpochMs }] : [];
  if (live && log && lives.find(executionId) === live) {
    log.record(...decide(log.state));
    if ((yield* live.flush) === "stored") {
      live.requestWake("explicit");
      if (unsafe) live.preempt();
      return;
    }
  }
  const state = yield* storeFact(context, executionId, decide);
  if (state.interrupt !== "none" && !state.completed) {
    yield* wake(context, lives, workflow._tag, executionId, "explicit");
  }
});

/** A wake that this process takes itself when it runs the execution already, and asks for otherwise. */
const wake = (
  context: RunContext,
  lives: LiveExecutions,
  workflow: string,
  executionId: string,
  mode: "automatic" | "explicit",
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const live = lives.find(executionId);
    live?.requestWake(mode);
    return live ? Effect.void : context.wakes.wake({ workflow, executionId }, mode);
  });

const storeFact = (
  context: RunContext,
  executionId: string,
  decide: Parameters<typeof appendFact>[3],
) => Effect.orDie(appendFact(context.journal, executionId, context.nextWriter, decide));

const currentLive = Effect.fnUntraced(function* (lives: LiveExecutions) {
  const { executionId } = yield* WorkflowEngine.WorkflowInstance;
  const live = lives.find(executionId);
  // A fiber that outlived its run has no history to read or write any more.
  return live ?? (yield* Effect.interrupt);
});

const decodeResult = (workflow: Workflow.Any, executionId: string, json: unknown) =>
  makeWorkflowCodec(workflow)
    .decodeResult(json)
    .pipe(
      Effect.mapError(
        (error) =>
          new HistoryMismatch({ workflow: workflow._tag, executionId, reason: error.message }),
      ),
      Effect.orDie,
    );
