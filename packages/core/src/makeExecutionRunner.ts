/**
 * The engine's side of `ExecutionRunner`: a message becomes a start, a run, or a completed clock.
 */
import { Deferred, Effect } from "effect";
import { appendFact } from "./appendFact.ts";
import { acceptsDeferred } from "./Decision.ts";
import { IdempotencyKeyConflict, WorkflowNotRegistered } from "./EngineError.ts";
import { ExecutionRunner } from "./ExecutionRunner.ts";
import { initialState } from "./ExecutionState.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import type { LiveExecutions } from "./LiveExecutions.ts";
import type { RunContext } from "./RunContext.ts";
import { startExecution } from "./startExecution.ts";
import { doneExit } from "./WorkflowCodec.ts";

export const makeExecutionRunner = (
  context: RunContext,
  lives: LiveExecutions,
): ExecutionRunner["Service"] => {
  const registeredFor = (workflow: string) =>
    Effect.fromNullishOr(lives.registered.get(workflow)).pipe(
      Effect.mapError(() => new WorkflowNotRegistered({ workflow })),
    );

  const settled = Effect.fnUntraced(function* (first: LiveExecution) {
    const { advance, live } = yield* first.settled;
    return { executionId: live.executionId, advance, state: live.log?.state ?? initialState() };
  });

  return ExecutionRunner.of({
    start: Effect.fnUntraced(function* (workflow, payload) {
      const executionId = yield* workflow.executionId(payload);
      const { live, start } = yield* startExecution(context, lives, {
        workflow,
        executionId,
        payload,
      });
      const advanced = yield* settled(live);
      const { started } = advanced.state;
      if (started && started.payloadHash !== start.payloadHash) {
        return yield* new IdempotencyKeyConflict({
          workflow: workflow._tag,
          executionId,
          idempotencyKey: start.idempotencyKey,
        });
      }
      return { ...advanced, created: started === start };
    }),

    wake: Effect.fnUntraced(function* (target, mode) {
      const registered = yield* registeredFor(target.workflow);
      const live = yield* lives.advance(registered, target.executionId, { _tag: "Wake", mode });
      return yield* settled(live);
    }),

    complete: Effect.fnUntraced(function* (executionId, completion) {
      const completed = yield* complete(context, lives, executionId, completion);
      if (typeof completed === "string") {
        // What the fact is about may be over, or seen by somebody else: then a wake changes nothing.
        const request = { _tag: "Wake", mode: "automatic" } as const;
        const registered = yield* registeredFor(completed);
        return yield* settled(yield* lives.advance(registered, executionId, request));
      }
      return completed && (yield* settled(completed));
    }),

    timerDue: Effect.fnUntraced(function* (target) {
      const registered = yield* registeredFor(target.workflow);
      const current = lives.find(target.executionId);
      const log = current && (yield* Deferred.await(current.opened));
      const clock = log?.state.clocks.get(target.clock);
      // One that comes early is left to the decision, which asks for it again.
      const due = clock && clock.wakeAtEpochMs <= context.clock.currentTimeMillisUnsafe();
      if (current && log && due && acceptsDeferred(log.state, clock.deferred)) {
        yield* lives.completeDeferred(current, clock.deferred, doneExit);
        return yield* settled(current);
      }
      const live = yield* lives.advance(registered, target.executionId, {
        _tag: "TimerDue",
        clock: target.clock,
      });
      return yield* settled(live);
    }),
  });
};

/** Stores the completion: in the run that is live here, or else in the journal, with the workflow to be woken. */
const complete = Effect.fnUntraced(function* (
  { clock, journal, nextWriter }: RunContext,
  lives: LiveExecutions,
  executionId: string,
  { deferred, exit }: Parameters<ExecutionRunner["Service"]["complete"]>[1],
) {
  const current = lives.find(executionId);
  const log = current && (yield* Deferred.await(current.opened));
  if (current && log && (yield* lives.completeDeferred(current, deferred, exit))) return current;
  const atEpochMs = clock.currentTimeMillisUnsafe();
  const { started } = yield* Effect.orDie(
    appendFact(journal, executionId, nextWriter, (before) =>
      before.started && acceptsDeferred(before, deferred)
        ? [{ _tag: "DeferredDone", name: deferred, exit, atEpochMs }]
        : [],
    ),
  );
  return started?.workflow;
});
