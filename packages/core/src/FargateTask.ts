/**
 * A step that runs elsewhere: launches a container that runs a child execution, suspends, and goes on with its result.
 * While it waits nothing runs here and nothing is paid for here.
 *
 *     const transformed = yield* FargateTask.run(TransformInTask, {
 *       step: "transform",
 *       payload: { object },
 *       timeout: "1 hour",
 *       retry: { attemptsMax: 3, baseMs: 60_000, factor: 2 },
 *     });
 *
 * The child's journal holds the work; this history holds launches, how each ended, and the result:
 *
 *     <step>: launch <n>     the task's name; asked for with a token, so a repetition starts no second one
 *     Task/<step>/<n>/...    how it ended: told by the task itself, by ECS, or by nobody until the time limit
 *     <step>                 attempt n: the child's own end, read from its journal, or why there is none yet
 *
 * A task that is taken back (Spot, SIGTERM) or fails is followed by another, which finds the same child execution and
 * goes on at its last stored step. Two tasks at once do no harm: the child's journal lets one of them append. A task that
 * was taken back costs no attempt; after a few of them the next one runs on capacity that is not taken back.
 *
 * Fails:  what the child fails with; TaskFailed, TimedOut, ... (TaskFailure) when the attempts are used up
 */
import { Cause, Clock, Duration, Effect, Exit, Option, Result, Schema } from "effect";
import { Activity, DurableClock, DurableDeferred, Workflow, WorkflowEngine } from "effect/workflow";
import { canonicalHash } from "./CanonicalJson.ts";
import { makeActivity } from "./makeActivity.ts";
import { afterFailure, completed, pauseDurably, pauseName, retryActivity } from "./Retry.ts";
import type { RetryPolicy } from "./Retry.ts";
import {
  launchName,
  type TaskAddress,
  taskClock,
  taskDeferred,
  taskStepPattern,
  toStartedBy,
} from "./task/TaskAddress.ts";
import { isInterruption, TaskEnd } from "./task/TaskEnd.ts";
import {
  type TaskExecution,
  taskExecutionCharactersMax,
  TaskExecutionText,
  taskExecutionVariable,
} from "./task/TaskExecution.ts";
import {
  TaskFailed,
  TaskFailure,
  TaskInterrupted,
  TaskPayloadTooLarge,
} from "./task/TaskFailure.ts";
import { TaskNotLaunched, Tasks, type TaskSize } from "./Tasks.ts";
import { TimedOut } from "./Timeout.ts";
import { makeWorkflowCodec } from "./WorkflowCodec.ts";
import { ExecutionRedrives } from "./WorkflowVersion.ts";

export {
  type PlainSchema,
  runTaskExecution,
  TaskExecutionRefused,
  type TaskWorkflow,
} from "./task/runTaskExecution.ts";
export { reportTaskEnd } from "./task/reportTaskEnd.ts";
export { deferredOfLaunch, readStartedBy } from "./task/TaskAddress.ts";
export { isInterruption, TaskEnd, TaskUsage, yieldedExitCode } from "./task/TaskEnd.ts";
export { TaskExecution, TaskExecutionText, taskExecutionVariable } from "./task/TaskExecution.ts";
export {
  TaskFailed,
  TaskFailure,
  TaskInterrupted,
  TaskPayloadTooLarge,
} from "./task/TaskFailure.ts";

export interface FargateTaskOptions<Payload extends object> {
  /** Name of the step: letters, numbers, hyphens and underscores, 40 at most. */
  readonly step: string;
  readonly payload: Payload;
  /** Of one attempt, however many containers it takes. */
  readonly timeout: Duration.Input;
  /** Of attempts that failed in a way that can pass. @default Retry.defaultPolicy */
  readonly retry?: Partial<RetryPolicy>;
  /** @default the task definition's */
  readonly size?: TaskSize;
  /** On spare capacity. @default true */
  readonly spot?: boolean;
}

/** After so many containers were taken back, one runs where they are not. */
const spotLaunchesMax = 3;

/** Containers of one step in all: more is a loop that nobody watches. */
const launchesMax = 100;

/** While there is no capacity the execution waits, durably, for about two hours. */
const whileNoCapacity = { attemptsMax: 30, baseMs: 5_000, factor: 2, capMs: 300_000 };

/** A launch as it is recorded. */
const Launched = Schema.Struct({
  task: Schema.String,
  /** The child execution that it runs. */
  child: Schema.String,
  redrives: Schema.Int,
  spot: Schema.Boolean,
});
type Launched = typeof Launched.Type;

/** Runs the workflow as a child execution in a container, and gives its result. */
export const run = Effect.fnUntraced(function* <
  Tag extends string,
  Payload extends Workflow.AnyStructSchema & { readonly Type: object },
  Success extends Schema.Top,
  Failure extends Schema.Top,
>(
  workflow: Workflow.Workflow<Tag, Payload, Success, Failure>,
  options: FargateTaskOptions<Payload["Type"]>,
) {
  const { step, timeout } = options;
  if (!taskStepPattern.test(step)) return yield* Effect.die(new TypeError(`no step: ${step}`));
  const policy = completed(options.retry);
  const limitMs = Duration.toMillis(Duration.fromInputUnsafe(timeout));
  const { executionId } = yield* WorkflowEngine.WorkflowInstance;
  const child = yield* workflow.executionId(options.payload);
  const open: { task?: Launched } = {};
  yield* stopWithExecution(step, open);
  let attempt = 1;
  let beganEpochMs = yield* Clock.currentTimeMillis;
  for (let launch = 1; ; launch++) {
    const spot = (options.spot ?? true) && launch - attempt < spotLaunchesMax;
    const launched = yield* launchActivity(workflow, options, { child, launch, spot });
    open.task = launched;
    const address: TaskAddress = { executionId, step, launch, redrives: launched.redrives };
    const now = yield* Clock.currentTimeMillis;
    const end = yield* awaitEnd(address, Math.max(1, beganEpochMs + limitMs - now));
    delete open.task;
    const settled = yield* Effect.result(
      settleActivity(workflow, { address, launched, end, limitMs }),
    );
    if (Result.isSuccess(settled)) return settled.success;
    const error = settled.failure;
    if (error instanceof TaskInterrupted && launch < launchesMax) continue;
    const pause = launch < launchesMax ? afterFailure(policy, error, attempt) : undefined;
    if (!pause) return yield* Effect.fail(error);
    yield* pauseDurably(pauseName(step, launch + 1), pause);
    attempt++;
    beganEpochMs = yield* Clock.currentTimeMillis;
  }
});

interface Launch {
  readonly child: string;
  readonly launch: number;
  readonly spot: boolean;
}

/** Starts the container; what was asked for twice was started once. */
const launchActivity = (
  workflow: Workflow.Any,
  { payload, size, step }: FargateTaskOptions<object>,
  { child, launch, spot }: Launch,
) =>
  makeActivity({
    name: launchName(step, launch),
    success: Launched,
    error: Schema.Union([TaskNotLaunched, TaskPayloadTooLarge]),
    execute: Effect.gen(function* () {
      const tasks = yield* Tasks;
      const redrives = yield* ExecutionRedrives;
      const { executionId, workflow: parent } = yield* WorkflowEngine.WorkflowInstance;
      const address = { executionId, step, launch, redrives };
      const deferred = taskDeferred(address);
      const text = yield* textOf({
        millrace: 1,
        workflow: workflow._tag,
        payload: yield* Effect.orDie(makeWorkflowCodec(workflow).encodePayload(payload)),
        parent: { workflow: parent._tag, executionId, deferred },
        spot,
      });
      if (text.length > taskExecutionCharactersMax) {
        const charactersMax = taskExecutionCharactersMax;
        return yield* new TaskPayloadTooLarge({ step, characters: text.length, charactersMax });
      }
      const { task } = yield* tasks.run({
        token: canonicalHash(address),
        startedBy: toStartedBy(address),
        environment: { [taskExecutionVariable]: text },
        size,
        spot,
      });
      return { task, child, redrives, spot };
    }),
  }).pipe(retryActivity(whileNoCapacity));

const textOf = (execution: TaskExecution) =>
  Effect.orDie(Schema.encodeEffect(TaskExecutionText)(execution));

/** Waits for the first that tells: the task, ECS, or the clock (which tells nothing). */
const awaitEnd = Effect.fnUntraced(function* (address: TaskAddress, durationMs: number) {
  const engine = yield* WorkflowEngine.WorkflowEngine;
  const { executionId, workflow } = yield* WorkflowEngine.WorkflowInstance;
  const name = taskDeferred(address);
  const clock = DurableClock.make({ name: taskClock(address), duration: durationMs });
  yield* engine.scheduleClock(workflow, {
    executionId,
    clock: { ...clock, deferred: DurableDeferred.make(name) },
  });
  return yield* DurableDeferred.await(
    DurableDeferred.make(name, { success: Schema.UndefinedOr(TaskEnd) }),
  );
});

interface Settling {
  readonly address: TaskAddress;
  readonly launched: Launched;
  /** Nothing: the time limit came first. */
  readonly end: TaskEnd | undefined;
  readonly limitMs: number;
}

/**
 * What became of the child: its own journal says it, whoever has told what. A task that is over its time is told to stop.
 */
const settleActivity = <
  Payload extends Workflow.AnyStructSchema,
  Success extends Schema.Top,
  Failure extends Schema.Top,
>(
  workflow: Workflow.Workflow<string, Payload, Success, Failure>,
  { address, end, launched, limitMs }: Settling,
) => {
  const { launch, step } = address;
  const { child, task } = launched;
  const error: Schema.Union<readonly [Failure, typeof TaskFailure]> = Schema.Union([
    workflow.errorSchema,
    TaskFailure,
  ]);
  const execute = Effect.gen(function* () {
    const polled = yield* workflow.poll(child);
    if (Option.isSome(polled) && polled.value._tag === "Complete") {
      const { exit } = polled.value;
      if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) return yield* exit;
    }
    if (end === undefined) {
      const tasks = yield* Tasks;
      yield* tasks.stop(task, `"${step}" is over its time limit of ${limitMs} ms`);
      return yield* new TimedOut({ work: step, limitMs });
    }
    const story = { step, task, end };
    return yield* isInterruption(end) ? new TaskInterrupted(story) : new TaskFailed(story);
  });
  return makeActivity<Effect.Services<typeof execute>, Success, typeof error>({
    name: step,
    success: workflow.successSchema,
    error,
    execute,
  }).pipe(
    // One attempt for each launch.
    Effect.provideService(Activity.CurrentAttempt, launch),
  );
};

/**
 * When the execution ends while a task is at work (it was cancelled, or a branch beside it failed), the task is told to
 * stop. The child of one that was cancelled ends there, too (see runTaskExecution).
 */
const stopWithExecution = Effect.fnUntraced(function* (
  step: string,
  open: { readonly task?: Launched },
) {
  yield* Workflow.addFinalizer((exit) =>
    Effect.suspend(() => {
      const { task: launched } = open;
      if (Exit.isSuccess(exit) || !launched) return Effect.void;
      return makeActivity({
        name: `${step}: stop`,
        execute: Tasks.use((tasks) => tasks.stop(launched.task, "its execution has ended")).pipe(
          // A task that cannot be told ends by itself, and its end is told to nobody.
          Effect.catch((error) => Effect.logWarning("task not stopped", error.message)),
        ),
      });
    }),
  );
});
