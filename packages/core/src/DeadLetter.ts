/**
 * Dead letters: what cannot go on by itself is put where people look, with its cause and the way back.
 *
 * `route` works on any effect; `routeActivity` inside a workflow, where the send is an activity: it is recorded before
 * the execution's end, so a crash between the failure and the send loses nothing, and a replay does not send twice.
 * The failure itself goes on: a dead-lettered execution has failed.
 */
import { Cause, Clock, Context, Effect, Schema } from "effect";
import { Activity, WorkflowEngine } from "effect/workflow";
import { describeFailure, failureClassOf } from "./Failure.ts";
import { FailureHandler } from "./FailureHandler.ts";
import { originalBytesMax } from "./Limits.ts";
import { MessageQueue, QueueUnavailable } from "./MessageQueue.ts";
import { retry, retryActivity } from "./Retry.ts";

/**
 * A dead letter as it lies in a pipeline's dead-letter queue.
 *
 * Shape:  `subject` names the object or message for people; `original` is what to send again, as text
 */
export const DeadLetterEnvelope = Schema.TaggedStruct("DeadLetter", {
  millrace: Schema.Literal(1),
  pipeline: Schema.String,
  subject: Schema.String,
  cause: Schema.Struct({ tag: Schema.String, message: Schema.String }),
  failureClass: Schema.Literals(["transient", "throttled", "timeout", "permanent", "defect"]),
  execution: Schema.optionalKey(
    Schema.Struct({ workflow: Schema.String, executionId: Schema.String }),
  ),
  original: Schema.String,
  /** Set when `original` had to be cut to fit into a message: what is left shows what it was, and cannot be sent again. */
  originalCut: Schema.optionalKey(Schema.Literal(true)),
  atEpochMs: Schema.Finite,
});
export type DeadLetterEnvelope = typeof DeadLetterEnvelope.Type;

const encodeEnvelope = Schema.encodeSync(Schema.fromJsonString(DeadLetterEnvelope));

/** Reads the text of a dead letter of ours. */
export const decodeEnvelope = Schema.decodeUnknownEffect(Schema.fromJsonString(DeadLetterEnvelope));

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

/** Sends a dead letter about a failure. */
export const send = Effect.fnUntraced(function* (
  address: DeadLetterAddress,
  cause: Cause.Cause<unknown>,
  execution?: { readonly workflow: string; readonly executionId: string },
) {
  const queue = yield* MessageQueue;
  const error = Cause.squash(cause);
  const envelope: DeadLetterEnvelope = {
    _tag: "DeadLetter",
    millrace: 1,
    pipeline: address.pipeline,
    subject: address.subject,
    cause: describeFailure(error),
    failureClass: failureClassOf(error),
    ...(execution && { execution }),
    ...fitting(address.original),
    atEpochMs: yield* Clock.currentTimeMillis,
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
        yield* Activity.make({
          name: "DeadLetter",
          error: QueueUnavailable,
          execute: send(address, cause, { workflow: workflow._tag, executionId }),
          annotations: Context.make(FailureHandler, true),
        }).pipe(
          retryActivity(whileQueueIsAway),
          // The execution ends as failed all the same, and the index shows it.
          Effect.catch((error) => Effect.logError("dead letter not sent", error.message)),
        );
      }),
    );
