/**
 * What a message means: one body of a pipeline's queue in, one typed outcome out. The same code in Lambda, in a
 * container, in local mode and in the simulator.
 *
 * A message is deleted only after what it asked for is in the journal: every outcome here says that it is, and
 * everything else is a failure, after which the message comes back.
 */
import { Cause, Clock, Context, Effect, Layer } from "effect";
import type { Workflow } from "effect/workflow";
import * as DeadLetter from "./DeadLetter.ts";
import { type Advanced, ExecutionRunner } from "./ExecutionRunner.ts";
import { statusOf } from "./Executions.ts";
import { readMessage } from "./Intake.ts";
import type { LifecycleEvent } from "./Lifecycle.ts";
import { afterLeaseMs, queueDelayMsMax } from "./Limits.ts";
import { maskText } from "./Mask.ts";
import { MessageQueue } from "./MessageQueue.ts";
import { countRun } from "./Metrics.ts";
import { type ObjectHead, supersededReason } from "./ObjectHeads.ts";
import { type ObjectAnnouncement, type ObjectCreated, objectName } from "./ObjectEvent.ts";
import { refusalOf, type Trigger } from "./Trigger.ts";
import { taskDeferred } from "./task/TaskAddress.ts";
import { encodeTaskEnd } from "./task/TaskEnd.ts";
import type { TaskStopped } from "./task/TaskStopped.ts";
import { encodeWorkerMessage, type WorkerMessage } from "./WorkerMessage.ts";

/** A pipeline as the worker sees it. */
export interface Pipeline {
  readonly name: string;
  /** Which objects start it; absent for a pipeline that only follows another. */
  readonly trigger?: Trigger;
  /** The real name of the trigger's bucket in this stage. */
  readonly bucketName?: string;
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly workflow: Workflow.Any;
  /** What the workflow is started with for an object. */
  readonly payloadOf?: (object: ObjectCreated) => object;
  /** Set where it is started by the ends of another pipeline's executions, and what with. */
  readonly after?: {
    readonly pipeline: string;
    readonly payloadOf: (completed: LifecycleEvent) => object;
  };
  /**
   * Set where only the newest version of an object is wanted: gives what an older one that comes late is superseded by.
   * Without it every version is run, each against exactly its own bytes.
   */
  readonly supersededBy?:
    | ((
        object: ObjectCreated,
        executionId: string,
      ) => Effect.Effect<ObjectHead | undefined, { readonly message: string }>)
    | undefined;
}

/** What the queue tells of a message beside its text. */
export interface Delivery {
  readonly receiveCount: number;
  /** When it was first received. */
  readonly firstEpochMs: number;
}

/** What a message came to. `subject` is the object or the execution. */
export interface Handled {
  readonly outcome:
    /** A new execution was made and run to its next stop. */
    | "started"
    /** The execution existed: a duplicate or a replayed event, absorbed. */
    | "joined"
    /** The execution existed, and the run before had died: it was run on. */
    | "resumed"
    /** An existing execution was run on. */
    | "advanced"
    /** Nothing to do: waiting, ended, or taken over by another process. */
    | "unneeded"
    /** Another process holds the lease: this message is done, a later one looks again. */
    | "leased"
    | "ignored"
    /** A newer version of the object is there already, and the pipeline wants only the newest. */
    | "superseded"
    | "dead-lettered";
  readonly subject: string;
  readonly executionId?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly replayName?: string;
}

export class Worker extends Context.Service<
  Worker,
  {
    /** Handles one message body; several objects in one body give several outcomes. */
    readonly handle: (
      pipeline: Pipeline,
      body: string,
      delivery?: Delivery,
    ) => Effect.Effect<ReadonlyArray<Handled>>;
  }
>()("@millrace/core/Worker") {
  static readonly layer = Layer.effect(
    Worker,
    Effect.gen(function* () {
      const context = yield* Effect.context<ExecutionRunner | MessageQueue>();
      return Worker.of({
        handle: (pipeline, body, delivery) =>
          Effect.provideContext(handle(pipeline, { body, delivery }), context),
      });
    }),
  );
}

interface Message {
  readonly body: string;
  readonly delivery: Delivery | undefined;
}

const handle = Effect.fnUntraced(
  function* (pipeline: Pipeline, message: Message) {
    const intake = yield* readMessage(message.body);
    switch (intake._tag) {
      case "Ignored":
        return [{ outcome: "ignored", subject: pipeline.name, reason: intake.reason } as const];
      case "Completed":
        return [yield* handleCompleted(pipeline, intake.event, intake.replayName, message)];
      case "Stopped":
        return [yield* handleStopped(pipeline, intake.stopped)];
      case "Message":
        return [yield* handleOwn(pipeline, intake.message)];
      case "Objects":
        return yield* Effect.forEach(intake.announcements, (announcement) =>
          handleObject(pipeline, announcement, message),
        );
    }
  },
  (effect, pipeline, message) =>
    Effect.catchTag(effect, "MessageUnreadable", (error) => {
      // Nobody knows what it is; sent again it is as unreadable.
      const masked = { ...message, body: maskText(message.body) };
      return Effect.map(deadLetter(pipeline, pipeline.name, masked, error), (handled) => [handled]);
    }),
);

const handleObject = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  { object, replayName }: ObjectAnnouncement,
  message: Message,
) {
  const subject = objectName(object);
  const { bucketName, payloadOf, trigger } = pipeline;
  if (!(trigger && bucketName !== undefined && payloadOf)) {
    return {
      outcome: "ignored",
      subject,
      reason: `${pipeline.name} is not started by objects`,
    } satisfies Handled;
  }
  const refusal = refusalOf(trigger, bucketName, object);
  if (refusal) return { outcome: "ignored", subject, reason: refusal } satisfies Handled;
  const payload = payloadOf(object);
  if (pipeline.supersededBy) {
    const executionId = yield* pipeline.workflow.executionId(payload);
    const head = yield* Effect.orDie(pipeline.supersededBy(object, executionId));
    if (head) {
      const reason = supersededReason(object, head);
      return { outcome: "superseded", subject, reason } satisfies Handled;
    }
  }
  return yield* start(pipeline, { subject, payload, replayName }, message);
});

/** Starts what comes after another pipeline's execution. */
const handleCompleted = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  completed: LifecycleEvent,
  replayName: string | undefined,
  message: Message,
) {
  const subject = `${completed.pipeline}/${completed.executionId}`;
  const { after } = pipeline;
  if (after?.pipeline !== completed.pipeline) {
    const reason = `${pipeline.name} does not follow ${completed.pipeline}`;
    return { outcome: "ignored", subject, reason } satisfies Handled;
  }
  return yield* start(
    pipeline,
    { subject, payload: after.payloadOf(completed), replayName },
    message,
  );
});

const start = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  what: {
    readonly subject: string;
    readonly payload: object;
    readonly replayName: string | undefined;
  },
  message: Message,
) {
  const { payload, replayName, subject } = what;
  const runner = yield* ExecutionRunner;
  return yield* runner.start(pipeline.workflow, payload).pipe(
    Effect.flatMap((started) => afterRun(pipeline, subject, started, started.created)),
    Effect.map((handled) => ({ ...handled, ...(replayName && { replayName }) })),
    Effect.catchTag("IdempotencyKeyConflict", (error) =>
      deadLetter(pipeline, subject, message, error),
    ),
    // Without its code nothing can be said about the message: it must come back.
    Effect.orDie,
  );
});

const handleOwn = Effect.fnUntraced(function* (pipeline: Pipeline, message: WorkerMessage) {
  const runner = yield* ExecutionRunner;
  const advanced = yield* Effect.orDie(
    message._tag === "Wake" ? runner.wake(message, message.mode) : runner.timerDue(message),
  );
  // Another process took over while the timer was on its way into the journal: it must be brought again.
  if (advanced.advance._tag === "Fenced" && message._tag === "TimerDue") {
    const queue = yield* MessageQueue;
    yield* Effect.orDie(
      queue.send(pipeline.queue, encodeWorkerMessage(message), { delayMs: afterLeaseMs }),
    );
  }
  return yield* afterRun(pipeline, message.executionId, advanced, undefined);
});

/** The end of a task is a fact for the execution that waits for it. */
const handleStopped = Effect.fnUntraced(function* (pipeline: Pipeline, stopped: TaskStopped) {
  const { address, end } = stopped;
  const runner = yield* ExecutionRunner;
  const advanced = yield* Effect.orDie(
    runner.complete(address.executionId, {
      deferred: taskDeferred(address),
      exit: encodeTaskEnd(end),
    }),
  );
  if (!advanced) {
    const reason = "nobody knows the execution that it was launched by";
    return { outcome: "ignored", subject: stopped.task, reason } satisfies Handled;
  }
  return yield* afterRun(pipeline, address.executionId, advanced, undefined);
});

/** Names the outcome; a leased execution is looked at again when the lease has ended, whoever holds it now. */
const afterRun = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  subject: string,
  advanced: Advanced,
  created: boolean | undefined,
) {
  const { advance, executionId, state } = advanced;
  yield* countRun(advanced, created === true);
  const status = statusOf(state);
  const about = { subject, executionId, status };
  if (advance._tag === "NotRun" && advance.reason._tag === "Leased") {
    const queue = yield* MessageQueue;
    const now = yield* Clock.currentTimeMillis;
    // A child's message comes through its parent's queue: the workflow is the execution's, not the pipeline's.
    const workflow = state.started?.workflow ?? pipeline.workflow._tag;
    yield* Effect.orDie(
      queue.send(
        pipeline.queue,
        encodeWorkerMessage({
          _tag: "Wake",
          millrace: 1,
          workflow,
          executionId,
          mode: "automatic",
        }),
        {
          delayMs: Math.min(queueDelayMsMax, advance.reason.leaseUntilEpochMs - now + afterLeaseMs),
        },
      ),
    );
    return { outcome: "leased", ...about } satisfies Handled;
  }
  const ended = advance._tag === "Ended";
  if (created) return { outcome: "started", ...about } satisfies Handled;
  if (created === false) {
    const outcome = ended && state.runCount > 1 ? "resumed" : "joined";
    return { outcome, ...about } satisfies Handled;
  }
  return { outcome: ended ? "advanced" : "unneeded", ...about } satisfies Handled;
});

const deadLetter = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  subject: string,
  { body, delivery }: Message,
  error: Error,
) {
  yield* DeadLetter.send(
    { pipeline: pipeline.name, queue: pipeline.deadLetterQueue, subject, original: body },
    Cause.fail(error),
    { attempts: delivery?.receiveCount, firstEpochMs: delivery?.firstEpochMs },
  ).pipe(Effect.orDie);
  return { outcome: "dead-lettered", subject, reason: error.message } satisfies Handled;
});
