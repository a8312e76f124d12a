/**
 * Whether a pipeline takes messages from its queue: people pause it, and resume it.
 *
 * Nothing is lost while it is paused, as long as the queue keeps its messages: events, wakes and timers wait there. Runs
 * that have begun end their turn. A rule is never switched off for this: what it would have delivered would be gone.
 */
import { Context, type Effect, Schema } from "effect";

/** Why, and since when. */
export const Pause = Schema.Struct({ reason: Schema.String, sinceEpochMs: Schema.Finite });
export type Pause = typeof Pause.Type;

/** The queue's service did not answer, or knows no such queue. */
export class PausesUnavailable extends Schema.TaggedError<PausesUnavailable>()(
  "PausesUnavailable",
  { queue: Schema.String, operation: Schema.String, cause: Schema.Defect() },
) {
  readonly failureClass = "transient";
  override get message(): string {
    return `${this.operation} of queue ${this.queue} did not succeed (${String(this.cause)}): try again`;
  }
}

export class IntakePauses extends Context.Service<
  IntakePauses,
  {
    /** Paused again, it keeps the new reason. */
    readonly pause: (queue: string, pause: Pause) => Effect.Effect<void, PausesUnavailable>;
    readonly resume: (queue: string) => Effect.Effect<void, PausesUnavailable>;
    readonly find: (queue: string) => Effect.Effect<Pause | undefined, PausesUnavailable>;
  }
>()("@millrace/core/IntakePauses") {}
