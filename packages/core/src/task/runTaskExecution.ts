/**
 * What a container does that was started for one execution: runs it to its end, and tells who waits for it.
 *
 * One that failed before is redriven: who launches it again wants its failed step again. Told to stop (ProcessStop), its
 * run yields: what there is, is stored, and the next container goes on.
 */
import { Clock, Deferred, Effect, Exit, Schema } from "effect";
import { type Workflow, WorkflowEngine } from "effect/workflow";
import { acceptsInterrupt } from "../Decision.ts";
import { type Executions, type IndexUnavailable, statusOf } from "../Executions.ts";
import { ExecutionRunner } from "../ExecutionRunner.ts";
import type { WorkflowNotRegistered } from "../EngineError.ts";
import { Journal } from "../Journal.ts";
import type { CommitTooLarge, LoadFailure } from "../JournalError.ts";
import { ProcessStop } from "../LiveExecution.ts";
import { loadState } from "../loadState.ts";
import { redrive } from "../redrive.ts";
import { appendOnce } from "../signal.ts";
import type { Wakes } from "../Wakes.ts";
import { reportTaskEnd } from "./reportTaskEnd.ts";
import { type TaskUsage, yieldedExitCode } from "./TaskEnd.ts";
import type { TaskExecution } from "./TaskExecution.ts";

/** The container was told to run a workflow that it has no code for, or a payload that is none of its. */
export class TaskExecutionRefused extends Schema.TaggedError<TaskExecutionRefused>()(
  "TaskExecutionRefused",
  { workflow: Schema.String, reason: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the task cannot run an execution of ${this.workflow}: ${this.reason}`;
  }
}

export interface TaskRun {
  readonly execution: TaskExecution;
  /** Completed when a run here has yielded (see Engine.layerTask). */
  readonly yielded: Deferred.Deferred<void>;
  /** What the container has used so far. */
  readonly usage: Effect.Effect<TaskUsage>;
}

/** Longest wait for a run to store what there is, in milliseconds; ECS kills after two minutes. */
const yieldMsMax = 90_000;

/** The index gets the last row of a run after its end was stored; nothing depends on it. */
const rowMs = 200;

/** Needs nothing to be read or written. */
export interface PlainSchema extends Schema.Top {
  readonly DecodingServices: never;
  readonly EncodingServices: never;
}

/** A workflow that a container can run by its name and JSON alone. */
export type TaskWorkflow<
  Payload extends Workflow.AnyStructSchema & PlainSchema,
  Success extends PlainSchema,
  Failure extends PlainSchema,
> = Workflow.Workflow<string, Payload, Success, Failure>;

/** Gives the container's exit code: 0 for a success, 1 for a failure, another one when it has yielded. */
export const runTaskExecution = Effect.fnUntraced(function* <
  Payload extends Workflow.AnyStructSchema & PlainSchema,
  Success extends PlainSchema,
  Failure extends PlainSchema,
>(
  workflow: TaskWorkflow<Payload, Success, Failure>,
  { execution, usage, yielded }: TaskRun,
): Effect.fn.Return<
  number,
  TaskExecutionRefused | LoadFailure | CommitTooLarge | IndexUnavailable | WorkflowNotRegistered,
  ExecutionRunner | Executions | Journal | Wakes | WorkflowEngine.WorkflowEngine
> {
  const engine = yield* WorkflowEngine.WorkflowEngine;
  const payload = yield* Schema.decodeUnknownEffect(Schema.toCodecJson(workflow.payloadSchema))(
    execution.payload,
  ).pipe(
    Effect.mapError(
      ({ message }) => new TaskExecutionRefused({ workflow: execution.workflow, reason: message }),
    ),
  );
  const executionId = yield* workflow.executionId(payload);
  yield* goOn(execution, executionId);
  const stop = (yield* ProcessStop) ?? Effect.never;
  const ended = yield* Effect.raceFirst(
    Effect.exit(engine.execute(workflow, { executionId, payload })),
    Effect.as(Effect.andThen(stop, awaitYield(executionId, yielded)), undefined),
  );
  if (!ended) {
    yield* endIfCancelled(execution, executionId);
    return yieldedExitCode;
  }
  const exitCode = Exit.isSuccess(ended) ? 0 : 1;
  yield* reportTaskEnd(execution.parent, { toldBy: "task", exitCode, usage: yield* usage });
  yield* Effect.sleep(rowMs);
  return exitCode;
});

/** An execution that an earlier container has left is run on; there may be none yet. */
const goOn = Effect.fnUntraced(function* (
  { parent, workflow }: TaskExecution,
  executionId: string,
) {
  const state = yield* loadState(yield* Journal, executionId);
  if (!state.started) return;
  const status = statusOf(state);
  if (status === "failed" || status === "parked") {
    yield* redrive(executionId, { reason: `launched again by ${parent.executionId}` }).pipe(
      // Somebody else was faster, or it has undone its work: its end is told as it is.
      Effect.catchTags({
        NotFailed: () => Effect.void,
        ExecutionCompensated: () => Effect.void,
        ExecutionUnknown: () => Effect.void,
      }),
    );
  } else if (status === "suspended") {
    const runner = yield* ExecutionRunner;
    yield* runner.wake({ workflow, executionId }, "explicit");
  }
});

/** Until the run here has stored what there is; one that waits has done so already. */
const awaitYield = Effect.fnUntraced(function* (
  executionId: string,
  yielded: Deferred.Deferred<void>,
) {
  const state = yield* loadState(yield* Journal, executionId);
  if (state.suspended) return;
  yield* Effect.timeoutOption(Deferred.await(yielded), yieldMsMax);
  yield* Effect.sleep(rowMs);
});

/** Who waits for it was cancelled: then it ends here, as interrupted, because no other container comes. */
const endIfCancelled = Effect.fnUntraced(function* (
  { parent, workflow }: TaskExecution,
  executionId: string,
) {
  const { interrupt } = yield* loadState(yield* Journal, parent.executionId);
  if (interrupt === "none") return;
  const atEpochMs = yield* Clock.currentTimeMillis;
  const { state } = yield* appendOnce("task", executionId, (before) =>
    acceptsInterrupt(before, false)
      ? { _tag: "InterruptRequested", unsafe: false, atEpochMs }
      : undefined,
  );
  if (state.completed) return;
  const runner = yield* ExecutionRunner;
  yield* runner
    .wake({ workflow, executionId }, "explicit")
    .pipe(Effect.provideService(ProcessStop, undefined));
});
