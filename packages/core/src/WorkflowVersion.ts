/**
 * Versions of a workflow, for code that changes while executions are on their way.
 *
 * `WorkflowVersion` is an annotation on the workflow: the version of the code (1 unless said otherwise). It is recorded
 * when an execution begins, and `ExecutionVersion` tells the body with which one its execution began, in every replay
 * and under any later code:
 *
 *     const checked = (yield* ExecutionVersion) >= 2 ? yield* check : unchecked
 */
import { Context } from "effect";

export const WorkflowVersion = Context.Reference<number>("@millrace/core/WorkflowVersion", {
  defaultValue: () => 1,
});

/** Inside a body and its activities: how often this execution had been redriven when the run began. */
export const ExecutionRedrives = Context.Reference<number>("@millrace/core/ExecutionRedrives", {
  defaultValue: () => 0,
});

/** Inside a body: the version of the workflow when this execution began. */
export const ExecutionVersion = Context.Reference<number>("@millrace/core/ExecutionVersion", {
  defaultValue: () => 1,
});
