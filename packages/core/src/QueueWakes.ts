/**
 * Wakes and timers as messages in the pipelines' own queues.
 *
 * A queue delays a message by 15 minutes at most; what is further away is asked of the scheduler. A message that comes
 * early all the same is asked for again by whoever gets it. A request that fails is tried a few times and is then a
 * defect: the run ends, its message returns, and the replay asks again.
 */
import { Clock, Effect, Layer } from "effect";
import { canonicalHash } from "./CanonicalJson.ts";
import { queueDelayMsMax } from "./Limits.ts";
import { MessageQueue } from "./MessageQueue.ts";
import { retry } from "./Retry.ts";
import { Schedules } from "./Schedules.ts";
import { Wakes } from "./Wakes.ts";
import { encodeWorkerMessage, type WorkerMessage } from "./WorkerMessage.ts";

export interface QueueWakesOptions {
  /** What is further away than this is asked of the scheduler, in milliseconds. @default 900,000, a queue's longest */
  readonly queueDelayMsMax?: number | undefined;
}

/** `queueOf` gives the name of the queue whose function has the code of the workflow. */
export const layerQueue = (
  queueOf: (workflow: string) => string,
  options: QueueWakesOptions = {},
): Layer.Layer<Wakes, never, MessageQueue | Schedules> => {
  const delayMsMax = Math.min(options.queueDelayMsMax ?? queueDelayMsMax, queueDelayMsMax);
  return Layer.effect(
    Wakes,
    Effect.gen(function* () {
      const messages = yield* MessageQueue;
      const schedules = yield* Schedules;
      const clock = yield* Clock.Clock;
      const request = Effect.fnUntraced(function* (message: WorkerMessage, atEpochMs: number) {
        const queue = queueOf(message.workflow);
        const body = encodeWorkerMessage(message);
        const delayMs = Math.max(0, atEpochMs - clock.currentTimeMillisUnsafe());
        if (delayMs <= delayMsMax) return yield* messages.send(queue, body, { delayMs });
        yield* schedules.create({ name: nameOf(message, atEpochMs), atEpochMs, queue, body });
      });
      const ask = (message: WorkerMessage, atEpochMs: number) =>
        request(message, atEpochMs).pipe(retry(), Effect.orDie);
      return Wakes.of({
        wake: ({ executionId, workflow }, mode, notBeforeEpochMs = 0) =>
          ask({ _tag: "Wake", millrace: 1, workflow, executionId, mode }, notBeforeEpochMs),
        timer: ({ clock: name, executionId, wakeAtEpochMs, workflow }) =>
          ask(
            { _tag: "TimerDue", millrace: 1, workflow, executionId, clock: name, wakeAtEpochMs },
            wakeAtEpochMs,
          ),
      });
    }),
  );
};

/** The same timer has the same name in every process, so that asking twice makes one schedule. */
const nameOf = (message: WorkerMessage, atEpochMs: number): string =>
  canonicalHash({ message, atEpochMs });
