/**
 * The real pipeline of a day's sales in a simulated world: its function validates and notifies, its containers transform.
 */
import { Engine, FargateTask, type Pipeline, ProcessStop, QueueWakes } from "@millrace/core";
import type { Caller } from "@millrace/core/testing/simulation";
import {
  DailySales,
  DailySalesTransform,
  layerDailySalesTransformWith,
} from "@millrace/workflows/DailySales";
import { pipelines } from "@millrace/workflows/topology";
import { Deferred, Effect, Layer, Schema } from "effect";
import { type Outsides, queueOf, salesQueues } from "./simulatedPipelines.ts";

const { dailySales } = pipelines;

export const salesPipeline: Pipeline = {
  name: dailySales.name,
  trigger: dailySales.trigger,
  bucketName: "raw",
  ...salesQueues,
  workflow: DailySales,
  payloadOf: (object) => ({ object }),
};

/** Lease of a run in a container, in milliseconds: that of `@millrace/functions`. */
const taskLeaseMs = 5_000;

/** Rows of a part: a container is killed between two of them, or in the middle of one. */
const parts = { partRows: 2, partsAboveBytes: 0 };

/** The code of the containers. */
export const layerSalesTransform = layerDailySalesTransformWith(parts);

const usage = Effect.succeed({ seconds: 1, cpuSeconds: 1, memoryBytesMax: 1 });

/** What a container does, as in `@millrace/functions`, over a world's outside. */
export const salesTask =
  (outsideOf: (caller: Caller) => Layer.Layer<Outsides>) =>
  (text: string, container: Caller, stop: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const execution = yield* Schema.decodeEffect(FargateTask.TaskExecutionText)(text);
      const yielded = yield* Deferred.make<void>();
      const engine = Engine.layerTask({
        leaseMs: taskLeaseMs,
        owns: (workflow) => workflow === DailySalesTransform._tag,
        onYielded: Effect.asVoid(Deferred.succeed(yielded, undefined)),
      });
      const services = layerSalesTransform.pipe(
        Layer.provideMerge(Layer.provide(engine, QueueWakes.layerQueue(queueOf))),
        Layer.provideMerge(outsideOf(container)),
      );
      return yield* FargateTask.runTaskExecution(DailySalesTransform, {
        execution,
        yielded,
        usage,
      }).pipe(Effect.provideService(ProcessStop, stop), Effect.provide(Layer.fresh(services)));
    });
