/**
 * Failures of the engine itself. Effect's contract gives its operations no error channel, so they arrive as defects
 * of the caller; the worker, which starts executions by name, gets them typed.
 */
import { Schema } from "effect";

/** The same idempotency key came with another payload: joining would answer a question that was not asked. */
export class IdempotencyKeyConflict extends Schema.TaggedError<IdempotencyKeyConflict>()(
  "IdempotencyKeyConflict",
  { workflow: Schema.String, executionId: Schema.String, idempotencyKey: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} of ${this.workflow} was started with another payload under the key "${this.idempotencyKey}": make the key tell the two apart`;
  }
}

/** This process has no code for the workflow. */
export class WorkflowNotRegistered extends Schema.TaggedError<WorkflowNotRegistered>()(
  "WorkflowNotRegistered",
  { workflow: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `workflow ${this.workflow} is not registered in this process: add its layer to the function that receives its messages`;
  }
}

/** The stored payload or result does not fit the workflow's schemas of today. */
export class HistoryMismatch extends Schema.TaggedError<HistoryMismatch>()("HistoryMismatch", {
  workflow: Schema.String,
  executionId: Schema.String,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the history of execution ${this.executionId} does not fit the schemas of ${this.workflow}: ${this.reason}`;
  }
}
