/**
 * The engine as the worker uses it: one message asks for one execution to be advanced, here and now.
 *
 * Unlike `WorkflowEngine.execute` it does not wait for what the execution waits for: it answers when the run stops.
 */
import { Context, type Effect } from "effect";
import type { Workflow } from "effect/workflow";
import type { WakeMode } from "./Decision.ts";
import type { IdempotencyKeyConflict, WorkflowNotRegistered } from "./EngineError.ts";
import type { ExecutionState } from "./ExecutionState.ts";
import type { Advance } from "./LiveExecution.ts";
import type { WakeTarget } from "./Wakes.ts";

/** What became of a request, and the execution as it stands after it. */
export interface Advanced {
  readonly executionId: string;
  readonly advance: Advance;
  readonly state: ExecutionState;
}

/** What became of a start request. */
export interface Started extends Advanced {
  /** False when the execution existed already: the request was a duplicate and joined it. */
  readonly created: boolean;
}

export class ExecutionRunner extends Context.Service<
  ExecutionRunner,
  {
    /** Starts the execution of that payload, or joins the one that exists, and runs it to its next stop. */
    readonly start: (
      workflow: Workflow.Any,
      payload: object,
    ) => Effect.Effect<Started, IdempotencyKeyConflict | WorkflowNotRegistered>;
    /** Runs an existing execution to its next stop. */
    readonly wake: (
      target: WakeTarget,
      mode: WakeMode,
    ) => Effect.Effect<Advanced, WorkflowNotRegistered>;
    /**
     * Completes a deferred of an execution with an encoded exit, and runs it to its next stop; the first completion
     * counts. Nothing when there is no such execution.
     */
    readonly complete: (
      executionId: string,
      completion: { readonly deferred: string; readonly exit: unknown },
    ) => Effect.Effect<Advanced | undefined, WorkflowNotRegistered>;
    /** Completes a clock that is due and runs the execution; one that is not due yet is asked for again. */
    readonly timerDue: (
      target: WakeTarget & { readonly clock: string },
    ) => Effect.Effect<Advanced, WorkflowNotRegistered>;
  }
>()("@millrace/core/ExecutionRunner") {}
