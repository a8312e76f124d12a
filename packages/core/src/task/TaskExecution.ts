/**
 * What a container is told to do: run this execution, and tell that one when it has ended. It goes through one variable
 * of the container's environment.
 */
import { Schema } from "effect";

/** The variable. */
export const taskExecutionVariable = "MILLRACE_EXECUTION";

export const TaskExecution = Schema.Struct({
  millrace: Schema.Literal(1),
  workflow: Schema.String,
  /** JSON, as the workflow's schema encodes it. */
  payload: Schema.Unknown,
  /** Who waits, and for which deferred. */
  parent: Schema.Struct({
    workflow: Schema.String,
    executionId: Schema.String,
    deferred: Schema.String,
  }),
  spot: Schema.Boolean,
});
export type TaskExecution = typeof TaskExecution.Type;

/** As the variable's text. */
export const TaskExecutionText = Schema.fromJsonString(TaskExecution);

/**
 * Longest text, in characters: all overrides of a task together have 8,192, JSON syntax included.
 * Source: ECS API reference, TaskOverride
 */
export const taskExecutionCharactersMax = 6_000;
