/**
 * The form of a dead letter, which people and tools read: documented in docs/events.md.
 */
import { Schema } from "effect";

/**
 * A dead letter as it lies in a pipeline's dead-letter queue.
 *
 * Shape:  `subject` names the object or message for people; `original` is what to send again, as text
 * Units:  `…EpochMs` milliseconds since the Unix epoch
 */
export const DeadLetterEnvelope = Schema.TaggedStruct("DeadLetter", {
  millrace: Schema.Literal(1),
  /** The same for every copy of the letter: a queue delivers at least once, and a send may be repeated. */
  id: Schema.String,
  pipeline: Schema.String,
  subject: Schema.String,
  cause: Schema.Struct({ tag: Schema.String, message: Schema.String }),
  failureClass: Schema.Literals(["transient", "throttled", "timeout", "permanent", "defect"]),
  /** How often the failed step was tried, or the message received. */
  attempts: Schema.Int,
  /** When the first of them began, and when the last ended. */
  firstEpochMs: Schema.Finite,
  lastEpochMs: Schema.Finite,
  execution: Schema.optionalKey(
    Schema.Struct({ workflow: Schema.String, executionId: Schema.String }),
  ),
  original: Schema.String,
  /** Set when `original` had to be cut to fit into a message: what is left shows what it was, and cannot be sent again. */
  originalCut: Schema.optionalKey(Schema.Literal(true)),
  /** What to do once the cause is repaired, for people. */
  wayBack: Schema.String,
  /** When the letter was written. */
  atEpochMs: Schema.Finite,
});
export type DeadLetterEnvelope = typeof DeadLetterEnvelope.Type;

/** The text of a dead letter. */
export const encodeEnvelope = Schema.encodeSync(Schema.fromJsonString(DeadLetterEnvelope));

/** Reads the text of a dead letter of ours; for whatever else lies in such a queue there is `Operations.readLetter`. */
export const decodeEnvelope = Schema.decodeUnknownEffect(Schema.fromJsonString(DeadLetterEnvelope));

/** How a person gets the work done after all. */
export const wayBackOf = (executionId: string | undefined, isCut = false): string => {
  if (executionId !== undefined) {
    return `repair the cause, then: millrace redrive ${executionId}`;
  }
  return isCut
    ? "the original was too large to keep: announce the object again"
    : "repair the cause, then send `original` to the pipeline's queue again";
};
