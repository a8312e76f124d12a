/**
 * Tells of an execution's life, as an outbox: each announcement is an activity of the execution itself, before its end is
 * stored. A process that dies before, in or after an announcement leaves it unrecorded, and the next run announces again.
 *
 * The start is announced beside the first step and shares its commit; the end costs one commit more. Announcements have
 * the role of failure handlers: a redrive forgets them, so that the redriven execution tells of itself anew.
 */
import { Cause, Clock, Context, Effect, Exit, Schema } from "effect";
import { WorkflowEngine } from "effect/workflow";
import { describeFailure, failureClassOf } from "./Failure.ts";
import { FailureHandler } from "./FailureHandler.ts";
import {
  Lifecycle,
  type LifecycleEvent,
  type LifecycleKind,
  lifecycleId,
  LifecycleUnavailable,
  type Outcome,
  outcomeOfFailure,
} from "./Lifecycle.ts";
import { announcedResultBytesMax } from "./Limits.ts";
import type { ObjectCreated } from "./ObjectEvent.ts";
import { makeActivity } from "./makeActivity.ts";
import { retry, retryActivity } from "./Retry.ts";
import { ExecutionRedrives, ExecutionVersion } from "./WorkflowVersion.ts";

/** What is announced of whom. */
export interface LifeOf<A, I> {
  readonly pipeline: string;
  readonly subject: string;
  readonly object?: ObjectCreated;
  readonly success: Schema.Codec<A, I>;
  /** Executions that began with an older version of the workflow announce nothing: they did not when they began. @default 1 */
  readonly sinceVersion?: number;
  /** Name of the step that tells of the end, by how it came out. @default "announce end" */
  readonly nameOfEnd?: (outcome: Outcome) => string;
}

/** While the bus does not answer the execution waits, durably, for about a day. Its work is done; its end is not told. */
const whileBusIsAway = { attemptsMax: 150, baseMs: 1_000, factor: 2, capMs: 600_000 };

/** The work does not wait for its start to be told of: after a few tries the start is told of with the end. */
const beforeWork = { attemptsMax: 3, baseMs: 50, factor: 2, capMs: 200 };

/** Wraps the body of a workflow, its dead-letter routing included. */
export const announceLife =
  <A, I>(life: LifeOf<A, I>) =>
  <E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      if ((yield* ExecutionVersion) < (life.sinceVersion ?? 1)) return yield* self;
      const { executionId, workflow } = yield* WorkflowEngine.WorkflowInstance;
      const about = { ...life, executionId, workflow: workflow._tag };
      const [told, exit] = yield* Effect.all([announceStart(about), Effect.exit(self)], {
        concurrency: 2,
      });
      if (exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause)) return yield* exit;
      yield* announceEnd(
        life.nameOfEnd?.(outcomeOfExit(exit)) ?? "announce end",
        Effect.gen(function* () {
          const redrives = told.redrives ?? (yield* ExecutionRedrives);
          const of = { ...about, redrives };
          const end =
            exit._tag === "Success"
              ? [yield* completedEvent(of, life.success, exit.value)]
              : yield* failedEvents(of, Cause.squash(exit.cause));
          yield* tell(told.redrives === undefined ? [yield* startEvent(of), ...end] : end);
        }),
      );
      return yield* exit;
    });

interface About {
  readonly pipeline: string;
  readonly subject: string;
  readonly object?: ObjectCreated;
  readonly executionId: string;
  readonly workflow: string;
  readonly redrives: number;
}

const isHandler = Context.make(FailureHandler, true);

/** How often the execution had been redriven, when its start was told; nothing when it could not be told. */
const StartTold = Schema.Struct({ redrives: Schema.optionalKey(Schema.Int) });

const announceStart = (about: Omit<About, "redrives">) =>
  makeActivity({
    name: "announce start",
    success: StartTold,
    execute: Effect.gen(function* () {
      const redrives = yield* ExecutionRedrives;
      yield* tell([yield* startEvent({ ...about, redrives })]);
      const told: typeof StartTold.Type = { redrives };
      return told;
    }).pipe(
      retry(beforeWork),
      Effect.catch((error) =>
        Effect.as(Effect.logWarning("the start will be told of with the end", error.message), {}),
      ),
    ),
    annotations: isHandler,
  });

const outcomeOfExit = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return "success";
  return outcomeOfFailure(failureClassOf(Cause.squash(exit.cause)));
};

const announceEnd = (name: string, execute: Effect.Effect<void, LifecycleUnavailable>) =>
  makeActivity({
    name,
    error: LifecycleUnavailable,
    execute,
    annotations: isHandler,
  }).pipe(
    retryActivity(whileBusIsAway),
    // The execution's end does not depend on who hears of it.
    Effect.catch((error) => Effect.logError("the end was not told of", error.message)),
  );

const startEvent = (about: About) =>
  eventOf(about, about.redrives > 0 ? "ExecutionRedriven" : "ExecutionStarted");

const tell = (events: ReadonlyArray<LifecycleEvent>) =>
  Effect.flatMap(Lifecycle, ({ announce: told }) => told(events));

const eventOf = Effect.fnUntraced(function* (about: About, kind: LifecycleKind) {
  const { executionId, object, pipeline, redrives, subject, workflow } = about;
  const event: LifecycleEvent = {
    millrace: 1,
    id: lifecycleId(executionId, kind, redrives),
    kind,
    pipeline,
    workflow,
    executionId,
    redrives,
    subject,
    ...(object && { object }),
    atEpochMs: yield* Clock.currentTimeMillis,
  };
  return event;
});

const completedEvent = Effect.fnUntraced(function* <A, I>(
  about: About,
  schema: Schema.Codec<A, I>,
  success: A,
) {
  const event = yield* eventOf(about, "ExecutionCompleted");
  const result = yield* Effect.orDie(Schema.encodeEffect(Schema.toCodecJson(schema))(success));
  const bytes = Buffer.byteLength(JSON.stringify(result) ?? "");
  return bytes <= announcedResultBytesMax ? { ...event, result } : event;
});

const failedEvents = Effect.fnUntraced(function* (about: About, error: unknown) {
  const { message, tag } = describeFailure(error);
  const failure = {
    tag,
    message: message.slice(0, failureCharactersMax),
    failureClass: failureClassOf(error),
  };
  return [
    { ...(yield* eventOf(about, "ExecutionFailed")), failure },
    { ...(yield* eventOf(about, "ExecutionDeadLettered")), failure },
  ];
});

/** Longest message of a failure in an event, in characters: enough to tell it; all of it is in the dead letter. */
const failureCharactersMax = 2_000;
