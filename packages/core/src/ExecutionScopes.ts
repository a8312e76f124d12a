/**
 * The scope of each execution, which outlives its single runs.
 *
 * Runs fork their scope from it, so that resources and finalizers of runs that suspended last until the execution
 * ends; the final run's own scope closes with the real exit before that. A process that may be frozen between
 * invocations (Lambda) cannot keep them: there, a suspension frees what is owner-local, and the durable finalizers
 * are registered again by the replay.
 */
import { Effect, Exit, Scope } from "effect";
import type { LiveExecution } from "./LiveExecution.ts";

/** `resident`: the process stays, and keeps the scopes of suspended executions. `frozen`: it may stop after each run. */
export type Residency = "resident" | "frozen";

export interface ExecutionScopes {
  readonly of: (executionId: string) => Scope.Closeable;
  readonly release: (
    live: LiveExecution,
    stop: "ended" | "suspended" | "fenced",
  ) => Effect.Effect<void>;
}

export const makeExecutionScopes = (residency: Residency): ExecutionScopes => {
  const scopes = new Map<string, Scope.Closeable>();
  return {
    of: (executionId) => {
      const scope = scopes.get(executionId) ?? Scope.makeUnsafe();
      scopes.set(executionId, scope);
      return scope;
    },
    release: (live, stop) =>
      Effect.suspend(() => {
        if (stop === "suspended" && residency === "resident") return Effect.void;
        if (stop !== "ended") live.abandon();
        const scope = scopes.get(live.executionId);
        scopes.delete(live.executionId);
        // Scopes of superseded runs close with success: their compensations belong to a past that was replayed.
        return scope ? Scope.close(scope, Exit.void) : Effect.void;
      }),
  };
};
