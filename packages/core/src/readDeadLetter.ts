/**
 * Reads whatever lies in a dead-letter queue as a dead letter: ours, a message that the queue itself gave up on, or an
 * event that a rule or a schedule could not deliver. People see one form, and one way back.
 *
 * Source: AWS SQS API reference, ReceiveMessage (attributes); EventBridge user guide, "Using dead-letter queues to
 *         process undelivered events" (RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS)
 */
import { Effect } from "effect";
import { canonicalHash } from "./CanonicalJson.ts";
import { decodeEnvelope, type DeadLetterEnvelope, wayBackOf } from "./DeadLetterEnvelope.ts";
import { type Intake, readMessage } from "./Intake.ts";
import { type ObjectCreated, objectName } from "./ObjectEvent.ts";

/** A message as it was received from a dead-letter queue. */
export interface DeadMessage {
  readonly pipeline: string;
  readonly body: string;
  /** SQS's own attributes, as ReceiveMessage gives them when asked for all. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** Attributes that the sender gave it, as plain text. */
  readonly messageAttributes?: Readonly<Record<string, string>> | undefined;
}

export interface ReadLetter {
  /** Who put it there: the pipeline, the queue after too many receives, or a rule or schedule that could not deliver. */
  readonly from: "pipeline" | "queue" | "delivery";
  readonly letter: DeadLetterEnvelope;
  /** The objects that it is about, when it is about objects. */
  readonly objects: ReadonlyArray<ObjectCreated>;
}

/** Never fails: what cannot be read at all is told as such. */
export const readDeadLetter = Effect.fnUntraced(function* (message: DeadMessage) {
  const letter = yield* Effect.option(decodeEnvelope(message.body));
  if (letter._tag === "Some") {
    const intake = yield* read(letter.value.original);
    const routed: ReadLetter = {
      from: "pipeline",
      letter: letter.value,
      objects: objectsOf(intake),
    };
    return routed;
  }
  const intake = yield* read(message.body);
  const isDelivery = message.messageAttributes?.["ERROR_CODE"] !== undefined;
  const from = isDelivery ? ("delivery" as const) : ("queue" as const);
  const dead: ReadLetter = {
    from,
    letter: toLetter(message, intake, from),
    objects: objectsOf(intake),
  };
  return dead;
});

type Read = Intake | { readonly _tag: "Unreadable"; readonly reason: string };

const read = (text: string): Effect.Effect<Read> =>
  Effect.catchTag(readMessage(text), "MessageUnreadable", (error) =>
    Effect.succeed({ _tag: "Unreadable", reason: error.message } as const),
  );

const objectsOf = (intake: Read): ReadonlyArray<ObjectCreated> =>
  intake._tag === "Objects" ? intake.announcements.map(({ object }) => object) : [];

const toLetter = (
  message: DeadMessage,
  intake: Read,
  from: "queue" | "delivery",
): DeadLetterEnvelope => {
  const { attributes = {}, body, messageAttributes = {}, pipeline } = message;
  const sentEpochMs = Number(attributes["SentTimestamp"] ?? 0);
  const attempts =
    from === "delivery"
      ? Number(messageAttributes["RETRY_ATTEMPTS"] ?? 0) + 1
      : Number(attributes["ApproximateReceiveCount"] ?? 1);
  const execution =
    intake._tag === "Message"
      ? { workflow: intake.message.workflow, executionId: intake.message.executionId }
      : undefined;
  return {
    _tag: "DeadLetter",
    millrace: 1,
    id: canonicalHash({ pipeline, body, from }),
    pipeline,
    subject: subjectOf(message, intake),
    cause:
      from === "delivery"
        ? {
            tag: messageAttributes["ERROR_CODE"] ?? "NotDelivered",
            message: `not delivered to the queue: ${messageAttributes["ERROR_MESSAGE"] ?? "no reason given"}`,
          }
        : givenUp(intake, attempts),
    failureClass: intake._tag === "Unreadable" ? "permanent" : "defect",
    attempts,
    firstEpochMs: Number(attributes["ApproximateFirstReceiveTimestamp"] ?? sentEpochMs),
    lastEpochMs: sentEpochMs,
    ...(execution && { execution }),
    original: body,
    wayBack: wayBackOf(undefined),
    atEpochMs: sentEpochMs,
  };
};

const subjectOf = ({ pipeline }: DeadMessage, intake: Read): string => {
  if (intake._tag === "Message") return intake.message.executionId;
  return objectsOf(intake).map(objectName).join(", ") || pipeline;
};

const givenUp = (intake: Read, attempts: number) =>
  intake._tag === "Unreadable"
    ? { tag: "MessageUnreadable", message: intake.reason }
    : {
        tag: "GivenUp",
        message: `received about ${attempts} times and never done: its function failed, timed out or was killed each time; the function's log says how`,
      };
