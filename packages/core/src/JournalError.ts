/**
 * What can go wrong at the journal. Each names the execution, and what the caller is to do.
 */
import { Schema } from "effect";

/** Someone else holds that commit number: load the tail, fold, decide again. Never take the next number and retry. */
export class JournalConflict extends Schema.TaggedError<JournalConflict>()("JournalConflict", {
  executionId: Schema.String,
  commit: Schema.Int,
}) {
  override get message(): string {
    return `commit ${this.commit} of execution ${this.executionId} is taken by another writer: load the tail and decide again`;
  }
}

/** The store did not answer, or not in time: the append may or may not have happened. Safe to try again. */
export class JournalUnavailable extends Schema.TaggedError<JournalUnavailable>()(
  "JournalUnavailable",
  { executionId: Schema.String, operation: Schema.String, cause: Schema.Defect() },
) {
  readonly failureClass = "transient";
  override get message(): string {
    return `the journal did not answer to ${this.operation} of execution ${this.executionId}: try again later`;
  }
}

/** A stored commit cannot be read as one: the execution must not be run on until someone has looked at it. */
export class JournalCorrupt extends Schema.TaggedError<JournalCorrupt>()("JournalCorrupt", {
  executionId: Schema.String,
  commit: Schema.Int,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `commit ${this.commit} of execution ${this.executionId} cannot be read (${this.reason}): inspect it before the execution is run on`;
  }
}

/** A commit that no store may hold (a DynamoDB item ends at 400 KB): put the value in S3 and record its reference. */
export class CommitTooLarge extends Schema.TaggedError<CommitTooLarge>()("CommitTooLarge", {
  executionId: Schema.String,
  commit: Schema.Int,
  commitBytes: Schema.Int,
  commitBytesMax: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `commit ${this.commit} of execution ${this.executionId} has ${this.commitBytes} bytes, more than ${this.commitBytesMax}: store the value as an object and return its key`;
  }
}

export type AppendFailure = JournalConflict | JournalUnavailable | CommitTooLarge;
export type LoadFailure = JournalUnavailable | JournalCorrupt;
