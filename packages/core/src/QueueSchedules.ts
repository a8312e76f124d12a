/**
 * Schedules where there is no scheduler: the message goes with the longest delay that its queue has, and whoever gets
 * it too early asks again.
 *
 * One message and one look at the history per 15 minutes of waiting, so not for functions that sleep for days; right
 * for a process that only ever asks for what is due, as the sweeper does.
 */
import { Clock, Effect, Layer } from "effect";
import { queueDelayMsMax } from "./Limits.ts";
import { MessageQueue } from "./MessageQueue.ts";
import { Schedules, SchedulerUnavailable } from "./Schedules.ts";

/** Every schedule is a delayed message of its queue. */
export const layerQueueDelay: Layer.Layer<Schedules, never, MessageQueue> = Layer.effect(
  Schedules,
  Effect.map(MessageQueue, (messages) =>
    Schedules.of({
      create: Effect.fnUntraced(function* ({ atEpochMs, body, name, queue }) {
        const now = yield* Clock.currentTimeMillis;
        const delayMs = Math.min(queueDelayMsMax, Math.max(0, atEpochMs - now));
        yield* messages
          .send(queue, body, { delayMs })
          .pipe(
            Effect.mapError((cause) => new SchedulerUnavailable({ schedule: name, queue, cause })),
          );
      }),
    }),
  ),
);
