/**
 * Why an execution is not redriven, not forked, or not taken in: each names the execution and what to do instead.
 */
import { Schema } from "effect";
import { ExecutionStatus } from "./Executions.ts";

/** Nothing is stored under the id. */
export class ExecutionUnknown extends Schema.TaggedError<ExecutionUnknown>()("ExecutionUnknown", {
  executionId: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `no execution ${this.executionId} is in the journal: look for it with \`millrace ls\``;
  }
}

/** There is no failure to go on from. */
export class NotFailed extends Schema.TaggedError<NotFailed>()("NotFailed", {
  executionId: Schema.String,
  status: ExecutionStatus,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    const advice =
      this.status === "completed"
        ? "to run it with other input, fork it"
        : "wait for its end, or see where it stands with `millrace show`";
    return `execution ${this.executionId} is ${this.status}, and only what failed or is parked is redriven: ${advice}`;
  }
}

/** What it had done was undone. */
export class ExecutionCompensated extends Schema.TaggedError<ExecutionCompensated>()(
  "ExecutionCompensated",
  { executionId: Schema.String, compensations: Schema.Array(Schema.String) },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} has undone its steps (${this.compensations.join(", ")}), and the idempotency keys of those steps are used up: fork it from the start instead (after event 1), which makes an execution with keys of its own`;
  }
}

/** The history has no such event. */
export class ForkPointUnknown extends Schema.TaggedError<ForkPointUnknown>()("ForkPointUnknown", {
  executionId: Schema.String,
  afterEvent: Schema.Finite,
  eventCount: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} has the events 1 to ${this.eventCount}, and no event ${this.afterEvent} to fork after: \`millrace show ${this.executionId}\` numbers them`;
  }
}

/** The input of a fork is not what the workflow takes. */
export class ForkPayloadInvalid extends Schema.TaggedError<ForkPayloadInvalid>()(
  "ForkPayloadInvalid",
  {
    executionId: Schema.String,
    workflow: Schema.String,
    /** What is wrong and where in the payload. */
    reason: Schema.String,
  },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the input is no payload of ${this.workflow}: ${this.reason}`;
  }
}

/** Its input cannot be checked here. */
export class WorkflowUnknown extends Schema.TaggedError<WorkflowUnknown>()("WorkflowUnknown", {
  executionId: Schema.String,
  workflow: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} is of the workflow ${this.workflow}, which is not known here: use the program that its pipeline belongs to`;
  }
}

/** The id is taken by another history. */
export class HistoryConflict extends Schema.TaggedError<HistoryConflict>()("HistoryConflict", {
  executionId: Schema.String,
  /** The first commit that differs. */
  commit: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the journal has another history of execution ${this.executionId}, different from commit ${this.commit} on: nothing was changed`;
  }
}
