/**
 * Containers that run a child execution where a function is too small: the seam to what starts and stops them.
 *
 * Starting is idempotent by its token: a launch whose answer was lost is asked for again, and finds its task.
 */
import { Context, Effect, Layer, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";

/** A container's processor and memory, where a run wants others than its definition says. */
export interface TaskSize {
  /** 1,024 is one virtual processor. */
  readonly cpuUnits: number;
  readonly memoryMb: number;
}

export interface TaskRequest {
  /** The same for every repetition of one launch; at most 64 characters. */
  readonly token: string;
  /** Told again with the task's end (see TaskAddress). */
  readonly startedBy: string;
  /** What the container is told beside its definition's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly size?: TaskSize | undefined;
  /** On spare capacity, which may be taken back at two minutes' notice. */
  readonly spot: boolean;
}

/** The task was not started: no capacity, too many requests, or a request that can never succeed. */
export class TaskNotLaunched extends Schema.TaggedError<TaskNotLaunched>()("TaskNotLaunched", {
  token: Schema.String,
  ...causeFields,
}) {
  override get message(): string {
    return `no task was started: ${adviceOn(this)}`;
  }
}

/** The task could not be told to stop. */
export class TaskNotStopped extends Schema.TaggedError<TaskNotStopped>()("TaskNotStopped", {
  task: Schema.String,
  ...causeFields,
}) {
  override get message(): string {
    return `the task ${this.task} was not told to stop: ${adviceOn(this)}`;
  }
}

export class Tasks extends Context.Service<
  Tasks,
  {
    /** Whether there is anything to start tasks of. */
    readonly isAvailable: boolean;
    /** Starts a task, or finds the one that this token has started. */
    readonly run: (
      request: TaskRequest,
    ) => Effect.Effect<{ readonly task: string }, TaskNotLaunched>;
    /** Asks a task to end; one that is gone is as well. */
    readonly stop: (task: string, reason: string) => Effect.Effect<void, TaskNotStopped>;
  }
>()("@millrace/core/Tasks") {
  /** Of a process that has none to start: what asks all the same fails, and is not asked again. */
  static readonly layerNone: Layer.Layer<Tasks> = Layer.succeed(Tasks, {
    isAvailable: false,
    run: ({ token }) =>
      Effect.fail(
        new TaskNotLaunched({
          token,
          failureClass: "defect",
          cause: new Error("this stage has no task definition for the pipeline"),
        }),
      ),
    stop: () => Effect.void,
  });
}
