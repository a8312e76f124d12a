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

/** The code asks for other steps than the history holds: it was changed under an execution that is on its way. */
export class HistoryDiverged extends Schema.TaggedError<HistoryDiverged>()("HistoryDiverged", {
  workflow: Schema.String,
  executionId: Schema.String,
  /** The recorded step that the code of today does not ask for. */
  recorded: Schema.String,
  /** What it asked for instead. */
  asked: Schema.String,
  recordedVersion: Schema.String,
  runningVersion: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the history of execution ${this.executionId} of ${this.workflow} has "${this.recorded}" (code ${this.recordedVersion}) where the code ${this.runningVersion} asks for ${this.asked}: it is parked; deploy code that still asks for it (ExecutionVersion tells old executions from new ones), then redrive`;
  }
}

/** Two steps of one run have the same name: the second would be given the first one's result. */
export class DuplicateActivity extends Schema.TaggedError<DuplicateActivity>()(
  "DuplicateActivity",
  { workflow: Schema.String, executionId: Schema.String, activity: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} of ${this.workflow} asks for the activity "${this.activity}" twice: give each step a name of its own (in a loop, with the item's)`;
  }
}

/** An activity was begun again and again, and never ended within a process's time. */
export class ActivityOutlivesProcess extends Schema.TaggedError<ActivityOutlivesProcess>()(
  "ActivityOutlivesProcess",
  {
    workflow: Schema.String,
    executionId: Schema.String,
    activity: Schema.String,
    yields: Schema.Int,
  },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `activity "${this.activity}" of execution ${this.executionId} did not end within the time of its process, ${this.yields} times: raise the function's timeout, split the activity, or run the workflow as a task`;
  }
}
