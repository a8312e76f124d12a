/**
 * The queue seam: messages to the pipelines' queues and dead-letter queues, by the names that the topology gives them.
 *
 * At least once, in no order; a message is a hint or a copy of something that is stored elsewhere.
 */
import { Context, type Effect, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";

/** The queue did not take the message, or did not answer: it may or may not be there. Sending again is safe. */
export class QueueUnavailable extends Schema.TaggedError<QueueUnavailable>()("QueueUnavailable", {
  queue: Schema.String,
  ...causeFields,
}) {
  override get message(): string {
    return `queue ${this.queue} did not take the message: ${adviceOn(this)}`;
  }
}

export class MessageQueue extends Context.Service<
  MessageQueue,
  {
    /** Sends a text; it becomes visible after `delayMs` (0 to 900,000, rounded up to seconds). */
    readonly send: (
      queue: string,
      body: string,
      options?: { readonly delayMs?: number },
    ) => Effect.Effect<void, QueueUnavailable>;
  }
>()("@millrace/core/MessageQueue") {}
