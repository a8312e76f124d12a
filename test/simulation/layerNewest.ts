/**
 * A worker of pipelines that want only the newest version of an object, as the product's functions make it.
 */
import { type Journal, judgeVersion, type ObjectHeads, Worker } from "@millrace/core";
import { Effect, Layer } from "effect";

export const layerNewest = Layer.effect(
  Worker,
  Effect.gen(function* () {
    const worker = yield* Worker;
    const context = yield* Effect.context<Journal | ObjectHeads>();
    return Worker.of({
      handle: (pipeline, body, delivery) =>
        worker.handle(
          {
            ...pipeline,
            supersededBy: (object, executionId) =>
              Effect.provideContext(judgeVersion(object, executionId), context),
          },
          body,
          delivery,
        ),
    });
  }),
).pipe(Layer.provide(Worker.layer));
