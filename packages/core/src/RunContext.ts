/**
 * What a run needs of the engine around it; one record for all executions of a process.
 */
import type { Clock, Context, Effect, Scope } from "effect";
import type { WorkflowEngine } from "effect/workflow";
import type { ExecutionState } from "./ExecutionState.ts";
import type { Journal } from "./Journal.ts";
import type { ValueSpill } from "./LargeValues.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import type { StateCache } from "./StateCache.ts";
import type { Wakes } from "./Wakes.ts";

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
  /** What the engine and activities see where a body sees its replay-stable clock and randomness, and no tracer. */
  readonly outside: Context.Context<never>;
  /** Puts values that are too large beside the journal. */
  readonly spill: ValueSpill;
  /** Brings them back. */
  readonly restore: ValueSpill;
  /** Lease of a run in a process that has no deadline. */
  readonly leaseMs: number;
  readonly nextWriter: () => string;
  /** What this process knows of executions that it ran before. */
  readonly states: StateCache;
  /** Takes over what an earlier process left open of a workflow. */
  readonly adopt: (workflow: string) => Effect.Effect<void>;
  /** Brings the index of executions up to date with a state at which a run stopped. */
  readonly project: (executionId: string, state: ExecutionState) => Effect.Effect<void>;
  /** The same for an execution that had ended before: writes only where the row was lost, or is older. */
  readonly repair: (executionId: string, state: ExecutionState) => Effect.Effect<void>;
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
