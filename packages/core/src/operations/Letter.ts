/**
 * Dead letters as people read them, whoever gave up: the pipeline (with an envelope), its queue (the bare message,
 * received too often), or the rule that could not deliver an event to the queue.
 *
 * Pure but for decoding; which way leads back is decided here and nowhere else.
 *
 * Source: AWS SQS API reference, ReceiveMessage (attributes); EventBridge user guide, "Using dead-letter queues to
 *         process undelivered events" (ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS)
 */
import { Effect, Exit, Option } from "effect";
import { decodeEnvelope, type DeadLetterEnvelope } from "../DeadLetter.ts";
import { type Intake, readMessage } from "../Intake.ts";
import { objectName } from "../ObjectEvent.ts";

/** A message as it lies in a dead-letter queue. */
export interface RawLetter {
  /** The queue's id of the message. */
  readonly id: string;
  readonly body: string;
  readonly sentEpochMs: number;
  /** How often it was received, from its own queue and while people looked at it. */
  readonly receiveCount: number;
  /** When it was received for the first time. @default when it was sent */
  readonly firstEpochMs?: number | undefined;
  /** Why a rule or a schedule could not deliver it, and after how many tries more: its ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS. */
  readonly undelivered?:
    | { readonly code: string; readonly message: string; readonly retries?: number }
    | undefined;
}

/** A dead letter. */
export interface Letter {
  readonly id: string;
  /** The same for every copy of a letter that a pipeline wrote: a queue delivers at least once, and a send may be repeated. */
  readonly copyOf?: string;
  /** Who gave up. */
  readonly origin: "pipeline" | "queue" | "rule";
  readonly pipeline: string;
  /** The object or execution that it is about. */
  readonly subject: string;
  readonly cause: { readonly tag: string; readonly message: string };
  readonly failureClass?: string | undefined;
  readonly execution?: { readonly workflow: string; readonly executionId: string } | undefined;
  /** What to send again, as text. */
  readonly original: string;
  /** Too much of it is missing for it to be sent again. */
  readonly originalCut: boolean;
  readonly receiveCount: number;
  /** How often what failed was tried, since when, and until when. */
  readonly attempts: number;
  readonly firstEpochMs: number;
  readonly lastEpochMs: number;
  readonly atEpochMs: number;
}

/** How what a letter is about goes on. */
export type WayBack =
  | { readonly _tag: "Redrive"; readonly executionId: string }
  | { readonly _tag: "Send"; readonly body: string }
  | { readonly _tag: "None"; readonly reason: string };

/** Reads a message of the pipeline's dead-letter queue; one that nobody can read is a letter, too. */
export const readLetter = Effect.fnUntraced(function* (pipeline: string, raw: RawLetter) {
  const envelope = yield* Effect.option(decodeEnvelope(raw.body));
  if (Option.isSome(envelope)) return fromEnvelope(envelope.value, raw);
  const intake = yield* Effect.exit(readMessage(raw.body));
  const isReadable = Exit.isSuccess(intake);
  const letter: Letter = {
    id: raw.id,
    origin: raw.undelivered ? "rule" : "queue",
    pipeline,
    ...(isReadable
      ? aboutOf(intake.value)
      : { subject: `an unreadable message of ${raw.body.length} characters` }),
    cause: causeOf(raw, isReadable),
    ...(!isReadable && { failureClass: "permanent" }),
    original: raw.body,
    originalCut: false,
    receiveCount: raw.receiveCount,
    attempts: raw.undelivered ? (raw.undelivered.retries ?? 0) + 1 : raw.receiveCount,
    firstEpochMs: raw.firstEpochMs ?? raw.sentEpochMs,
    lastEpochMs: raw.sentEpochMs,
    atEpochMs: raw.sentEpochMs,
  };
  return letter;
});

const causeOf = (
  { receiveCount, undelivered }: RawLetter,
  isReadable: boolean,
): Letter["cause"] => {
  if (undelivered) return { tag: undelivered.code, message: undelivered.message };
  return isReadable
    ? {
        tag: "ReceivedTooOften",
        message: `its function failed or died each time: received ${receiveCount} times`,
      }
    : {
        tag: "MessageUnreadable",
        message: "it is neither an S3 event nor one of ours; `millrace dlq show` shows its text",
      };
};

const fromEnvelope = (envelope: DeadLetterEnvelope, raw: RawLetter): Letter => ({
  id: raw.id,
  copyOf: envelope.id,
  origin: "pipeline",
  pipeline: envelope.pipeline,
  subject: envelope.subject,
  cause: envelope.cause,
  failureClass: envelope.failureClass,
  ...(envelope.execution && { execution: envelope.execution }),
  original: envelope.original,
  originalCut: envelope.originalCut === true,
  receiveCount: raw.receiveCount,
  attempts: envelope.attempts,
  firstEpochMs: envelope.firstEpochMs,
  lastEpochMs: envelope.lastEpochMs,
  atEpochMs: envelope.atEpochMs,
});

const aboutOf = (intake: Intake): Pick<Letter, "subject" | "execution"> => {
  switch (intake._tag) {
    case "Objects":
      return { subject: intake.announcements.map(({ object }) => objectName(object)).join(", ") };
    case "Message": {
      const { _tag, executionId, workflow } = intake.message;
      return { subject: `${_tag} of ${executionId}`, execution: { workflow, executionId } };
    }
    case "Completed":
      return { subject: `completion of ${intake.event.subject}` };
    case "Stopped":
      return { subject: `end of ${intake.stopped.task}` };
    case "Ignored":
      return { subject: intake.reason };
  }
};

/**
 * An execution that failed goes on from its failed step; whatever never came so far is sent once more. What a queue
 * gave up on is sent as it was: its execution, if there is one, has not failed.
 */
export const wayBackOf = (letter: Letter): WayBack => {
  if (letter.origin === "pipeline" && letter.execution) {
    return { _tag: "Redrive", executionId: letter.execution.executionId };
  }
  return sendAgain(letter);
};

/** The way back of what no execution is known of. */
export const sendAgain = ({ original, originalCut }: Letter): WayBack =>
  originalCut
    ? { _tag: "None", reason: "its original was too long for a letter and was cut" }
    : { _tag: "Send", body: original };
