/**
 * The messages that the engine sends to itself through a pipeline's queue.
 *
 * They are hints: what they are about stands in the journal. `millrace` tells them from the events of others, and
 * carries the version of their form.
 */
import { Schema } from "effect";

const version = { millrace: Schema.Literal(1) };
const target = { workflow: Schema.String, executionId: Schema.String };

/** Run the execution: something that it waits for may be there. */
export const WakeMessage = Schema.TaggedStruct("Wake", {
  ...version,
  ...target,
  mode: Schema.Literals(["automatic", "explicit"]),
});

/** The named clock of the execution is due at `wakeAtEpochMs`; a message that arrives earlier is sent on. */
export const TimerMessage = Schema.TaggedStruct("TimerDue", {
  ...version,
  ...target,
  clock: Schema.String,
  wakeAtEpochMs: Schema.Finite,
});

export const WorkerMessage = Schema.Union([WakeMessage, TimerMessage]);
export type WorkerMessage = typeof WorkerMessage.Type;

/** The text of a message, as it goes into the queue. */
export const encodeWorkerMessage: (message: WorkerMessage) => string = Schema.encodeSync(
  Schema.fromJsonString(WorkerMessage),
);
