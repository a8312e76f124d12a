/**
 * Dead letters: what cannot go on by itself is put where people look, with its cause and the way back.
 *
 * `route` works on any effect; `routeActivity` inside a workflow, where the send is an activity: it is recorded before
 * the execution's end, so a crash between the failure and the send loses nothing, and a replay does not send twice.
 * The failure itself goes on: a dead-lettered execution has failed.
 */
import { Cause, Clock, Context, Effect } from "effect";
import { WorkflowEngine } from "effect/workflow";
import { canonicalHash } from "./CanonicalJson.ts";
import { type DeadLetterEnvelope, encodeEnvelope, wayBackOf } from "./DeadLetterEnvelope.ts";
import { describeFailure, failureClassOf } from "./Failure.ts";
import { FailureHandler } from "./FailureHandler.ts";
import { storyOf } from "./failureStory.ts";
import { originalBytesMax } from "./Limits.ts";
import { MessageQueue, QueueUnavailable } from "./MessageQueue.ts";
import { makeActivity } from "./makeActivity.ts";
import { retry, retryActivity } from "./Retry.ts";

export { DeadLetterEnvelope, decodeEnvelope } from "./DeadLetterEnvelope.ts";

/** Where the letter goes and what it is about. */
export interface DeadLetterAddress {
  readonly pipeline: string;
  /** The pipeline's dead-letter queue. */
  readonly queue: string;
  readonly subject: string;
  readonly original: string;
}

/** The original, cut where the letter would not fit into a message; its text is escaped once more on the way. */
const fitting = (original: string) => {
  const bytes = Buffer.byteLength(JSON.stringify(original));
  return bytes <= originalBytesMax
    ? { original }
    : { original: original.slice(0, originalBytesMax / 8), originalCut: true as const };
};

/** What is known of a failure beside its cause. */
export interface FailureStory {
  readonly execution?: { readonly workflow: string; readonly executionId: string };
  /** @default 1 */
  readonly attempts?: number | undefined;
  /** @default now */
  readonly firstEpochMs?: number | undefined;
  readonly lastEpochMs?: number | undefined;
  /** Tells the failures of one execution apart: how often it was redriven. @default 0 */
  readonly redrives?: number | undefined;
}

/** Sends a dead letter about a failure. */
export const send = Effect.fnUntraced(function* (
  address: DeadLetterAddress,
  cause: Cause.Cause<unknown>,
  story: FailureStory = {},
) {
  const queue = yield* MessageQueue;
  const error = Cause.squash(cause);
  const described = describeFailure(error);
  const now = yield* Clock.currentTimeMillis;
  const { execution, redrives = 0 } = story;
  const { pipeline, subject } = address;
  const original = fitting(address.original);
  const envelope: DeadLetterEnvelope = {
    _tag: "DeadLetter",
    millrace: 1,
    id: canonicalHash(
      execution
        ? { pipeline, executionId: execution.executionId, redrives }
        : { pipeline, subject, tag: described.tag, original: address.original },
    ),
    pipeline,
    subject,
    cause: described,
    failureClass: failureClassOf(error),
    attempts: story.attempts ?? 1,
    firstEpochMs: story.firstEpochMs ?? now,
    lastEpochMs: story.lastEpochMs ?? now,
    ...(execution && { execution }),
    ...original,
    wayBack: wayBackOf(execution?.executionId, "originalCut" in original),
    atEpochMs: now,
  };
  yield* queue.send(address.queue, encodeEnvelope(envelope)).pipe(retry());
});

/** Sends a dead letter when the effect fails, and fails on. An interrupt is no failure. */
export const route =
  (address: DeadLetterAddress) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.tapCauseIf(
      self,
      (cause) => !Cause.hasInterruptsOnly(cause),
      (cause) => send(address, cause),
    );

/** While the queue does not answer, the execution waits (durably, up to a minute each time) instead of losing the letter. */
const whileQueueIsAway = { attemptsMax: 20, baseMs: 1_000, factor: 2, capMs: 60_000 };

/** The same inside a workflow: the send is an activity named `DeadLetter`, and so a fact. */
export const routeActivity =
  (address: DeadLetterAddress) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.tapCauseIf(
      self,
      (cause) => !Cause.hasInterruptsOnly(cause),
      Effect.fnUntraced(function* (cause) {
        const { executionId, workflow } = yield* WorkflowEngine.WorkflowInstance;
        yield* makeActivity({
          name: "DeadLetter",
          error: QueueUnavailable,
          execute: Effect.flatMap(storyOf(executionId), (story) =>
            send(address, cause, { ...story, execution: { workflow: workflow._tag, executionId } }),
          ),
          annotations: Context.make(FailureHandler, true),
        }).pipe(
          retryActivity(whileQueueIsAway),
          // The execution ends as failed all the same, and the index shows it.
          Effect.catch((error) => Effect.logError("dead letter not sent", error.message)),
        );
      }),
    );
