/**
 * Why the work of a task did not come to an end of its own.
 */
import { Schema } from "effect";
import { TaskNotLaunched, TaskNotStopped } from "../Tasks.ts";
import { TimedOut } from "../Timeout.ts";
import { TaskEnd } from "./TaskEnd.ts";

const fields = { step: Schema.String, task: Schema.String, end: TaskEnd };

const storyOf = ({ exitCode, reason, stopCode }: TaskEnd): string =>
  [
    exitCode === undefined ? "no exit code" : `exit code ${exitCode}`,
    ...(stopCode === undefined ? [] : [stopCode]),
    ...(reason === undefined ? [] : [reason]),
  ].join(", ");

/** The container ended before its execution did: it crashed, was killed, or ran out of memory. */
export class TaskFailed extends Schema.TaggedError<TaskFailed>()("TaskFailed", fields) {
  readonly failureClass = "transient";
  override get message(): string {
    return `the task of "${this.step}" ended before its work did (${storyOf(this.end)}; ${this.task}): another one goes on at the last stored step; with exit code 137 give it more memory`;
  }
}

/** The container was taken back, or told to stop: the next one goes on. */
export class TaskInterrupted extends Schema.TaggedError<TaskInterrupted>()(
  "TaskInterrupted",
  fields,
) {
  readonly failureClass = "transient";
  override get message(): string {
    return `the task of "${this.step}" was interrupted (${storyOf(this.end)}; ${this.task}): the next one goes on at the last stored step`;
  }
}

/** The execution's payload does not fit into a container's environment. */
export class TaskPayloadTooLarge extends Schema.TaggedError<TaskPayloadTooLarge>()(
  "TaskPayloadTooLarge",
  { step: Schema.String, characters: Schema.Int, charactersMax: Schema.Int },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the payload of "${this.step}" has ${this.characters} characters, ${this.charactersMax} at most: put it into a bucket and hand its name to the task`;
  }
}

export const TaskFailure = Schema.Union([
  TaskNotLaunched,
  TaskNotStopped,
  TaskFailed,
  TaskInterrupted,
  TaskPayloadTooLarge,
  TimedOut,
]);
export type TaskFailure = typeof TaskFailure.Type;
