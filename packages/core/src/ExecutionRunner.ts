/**
 * The engine as the worker uses it: one message asks for one execution to be advanced, here and now.
 *
 * Unlike `WorkflowEngine.execute` it does not wait for what the execution waits for: it answers when the run stops.
 */
import { Context, type Effect } from "effect";
import type { Workflow } from "effect/workflow";
import type { WakeMode } from "./Decision.ts";
import type { IdempotencyKeyConflict, WorkflowNotRegistered } from "./EngineError.ts";
import type { Advance } from "./LiveExecution.ts";
import type { WakeTarget } from "./Wakes.ts";

/** What became of a start request. */
export interface StartOutcome {
  readonly executionId: string;
  /** False when the execution existed already: the request was a duplicate and joined it. */
  readonly created: boolean;
  readonly advance: Advance;
}

export class ExecutionRunner extends Context.Service<
  ExecutionRunner,
  {
    /** Starts the execution of that payload, or joins the one that exists, and runs it to its next stop. */
    readonly start: (
      workflow: Workflow.Any,
      payload: object,
    ) => Effect.Effect<StartOutcome, IdempotencyKeyConflict | WorkflowNotRegistered>;
    /** Runs an existing execution to its next stop. */
    readonly wake: (
      target: WakeTarget,
      mode: WakeMode,
    ) => Effect.Effect<Advance, WorkflowNotRegistered>;
    /** Completes a clock that is due and runs the execution; one that is not due yet is asked for again. */
    readonly timerDue: (
      target: WakeTarget & { readonly clock: string },
    ) => Effect.Effect<Advance, WorkflowNotRegistered>;
  }
>()("@millrace/core/ExecutionRunner") {}
