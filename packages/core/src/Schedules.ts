/**
 * The scheduler seam: a message to a queue at an instant that is further away than a queue's own delay reaches.
 *
 * A schedule is a hint like every other message: it may be lost, fire twice or late. What it is for stands in the
 * journal, and the sweeper looks after what it forgot.
 */
import { Context, type Effect, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";

/** The scheduler did not take the schedule, or did not answer: it may or may not be there. Asking again is safe. */
export class SchedulerUnavailable extends Schema.TaggedError<SchedulerUnavailable>()(
  "SchedulerUnavailable",
  { schedule: Schema.String, queue: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `the scheduler did not take schedule ${this.schedule} for queue ${this.queue}: ${adviceOn(this)}`;
  }
}

/** The scheduler will never take it like this: its group, its role or the queue is not as it was named. */
export class ScheduleRefused extends Schema.TaggedError<ScheduleRefused>()("ScheduleRefused", {
  schedule: Schema.String,
  queue: Schema.String,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the scheduler refused schedule ${this.schedule} for queue ${this.queue} (${this.reason}): correct the group, the role or the queue that the function is given`;
  }
}

export interface ScheduledMessage {
  /** The same request has the same name: 1 to 64 letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  readonly atEpochMs: number;
  /** By its name in the topology. */
  readonly queue: string;
  readonly body: string;
}

export class Schedules extends Context.Service<
  Schedules,
  {
    /**
     * Asks for the message to be sent once, at the instant or up to a minute after it. A name that is taken is
     * success: the same request was made before. It is free again once its schedule has fired.
     */
    readonly create: (
      schedule: ScheduledMessage,
    ) => Effect.Effect<void, SchedulerUnavailable | ScheduleRefused>;
  }
>()("@millrace/core/Schedules") {}
