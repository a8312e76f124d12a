/**
 * The engine's side of `ExecutionRunner`: a message becomes a start, a run, or a completed clock.
 */
import { Deferred, Effect } from "effect";
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
