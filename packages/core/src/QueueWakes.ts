/**
 * Wakes and timers as messages in the pipelines' own queues.
 *
 * A queue delays a message by 15 minutes at most; a longer timer is asked for again each time it arrives early, until
 * it is due. A send that fails is tried a few times and is then a defect: the run ends, its message returns, and the
 * replay asks again.
 */
import { Clock, Effect, Layer } from "effect";
import { queueDelayMsMax } from "./Limits.ts";
import { MessageQueue } from "./MessageQueue.ts";
import { retry } from "./Retry.ts";
import { Wakes } from "./Wakes.ts";
import { encodeWorkerMessage } from "./WorkerMessage.ts";

/** `queueOf` gives the name of the queue whose function has the code of the workflow. */
export const layerQueue = (
  queueOf: (workflow: string) => string,
): Layer.Layer<Wakes, never, MessageQueue> =>
  Layer.effect(
    Wakes,
    Effect.gen(function* () {
      const queue = yield* MessageQueue;
      const clock = yield* Clock.Clock;
      const delayUntil = (epochMs: number) =>
        Math.min(queueDelayMsMax, Math.max(0, epochMs - clock.currentTimeMillisUnsafe()));
      return Wakes.of({
        wake: ({ executionId, workflow }, mode, notBeforeEpochMs = 0) =>
          queue
            .send(
              queueOf(workflow),
              encodeWorkerMessage({ _tag: "Wake", millrace: 1, workflow, executionId, mode }),
              { delayMs: delayUntil(notBeforeEpochMs) },
            )
            .pipe(retry(), Effect.orDie),
        timer: ({ executionId, wakeAtEpochMs, workflow, clock: name }) =>
          queue
            .send(
              queueOf(workflow),
              encodeWorkerMessage({
                _tag: "TimerDue",
                millrace: 1,
                workflow,
                executionId,
                clock: name,
                wakeAtEpochMs,
              }),
              { delayMs: delayUntil(wakeAtEpochMs) },
            )
            .pipe(retry(), Effect.orDie),
      });
    }),
  );
