/**
 * Asks for the execution of a payload: makes the first fact and begins, or joins what exists.
 */
import { Context, Effect } from "effect";
import type { Workflow } from "effect/workflow";
import { canonicalHash } from "./CanonicalJson.ts";
import { WorkflowNotRegistered } from "./EngineError.ts";
import type { ExecutionStarted } from "./HistoryEvent.ts";
import type { LiveExecutions } from "./LiveExecutions.ts";
import { PayloadIdentity } from "./PayloadIdentity.ts";
import type { RunContext } from "./RunContext.ts";
import type { WakeTarget } from "./Wakes.ts";
import { WorkflowVersion } from "./WorkflowVersion.ts";

/** The live execution, and the start that was asked for; whether it is that start which counts, its history tells. */
export const startExecution = Effect.fnUntraced(function* (
  context: RunContext,
  lives: LiveExecutions,
  request: {
    readonly workflow: Workflow.Any;
    readonly executionId: string;
    readonly payload: object;
    readonly parent?: WakeTarget | undefined;
  },
) {
  const { executionId, parent, workflow } = request;
  const registered = lives.registered.get(workflow._tag);
  if (!registered) return yield* new WorkflowNotRegistered({ workflow: workflow._tag });
  const payload = yield* Effect.orDie(registered.codec.encodePayload(request.payload));
  const version = Context.get(workflow.annotations, WorkflowVersion);
  const start: typeof ExecutionStarted.Type = {
    _tag: "ExecutionStarted",
    workflow: workflow._tag,
    idempotencyKey: workflow.idempotencyKey(request.payload),
    payload: yield* context.spill.value(payload),
    payloadHash: canonicalHash(Context.get(workflow.annotations, PayloadIdentity)(payload)),
    ...(version !== 1 && { version }),
    ...(parent && { parent }),
    atEpochMs: context.clock.currentTimeMillisUnsafe(),
  };
  const live = yield* lives.advance(registered, executionId, { _tag: "Start", start });
  return { live, start };
});
