/**
 * The transform of CsvToParquet as an execution of its own, run in a container for objects that are too large for a
 * function. Its journal holds the work, so that the next container goes on where this one was stopped.
 *
 * It announces nothing and quarantines nothing: that is its parent's affair, which is told of its end.
 */
import { ObjectCreated } from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { Workflow } from "effect/workflow";
import {
  type CsvPipelineOptions,
  type CsvPipelinePlan,
  planCsvPipeline,
} from "./CsvPipelineOptions.ts";
import { CsvObjectFailure, Transformed } from "./activities.ts";
import { transformParts } from "./transformParts.ts";

export const CsvTransformTask = Workflow.make("CsvTransformTask", {
  payload: {
    object: ObjectCreated,
    /** The parent's start: what its run in a function would have written, too. */
    startedEpochMs: Schema.Finite,
    parent: Schema.String,
  },
  success: Transformed,
  error: CsvObjectFailure,
  idempotencyKey: ({ parent }) => `${parent}/transform`,
});

const body = (plan: CsvPipelinePlan) =>
  Effect.fnUntraced(function* ({
    object,
    startedEpochMs,
  }: typeof CsvTransformTask.payloadSchema.Type) {
    return yield* transformParts(object, startedEpochMs, plan);
  });

/** The workflow's code, with the options of its pipeline. Fails: ColumnUnsupported. */
export const layerCsvTransformTaskWith = (options: CsvPipelineOptions) =>
  Layer.unwrap(
    Effect.map(Effect.fromResult(planCsvPipeline(options)), (plan) =>
      CsvTransformTask.toLayer(body(plan)),
    ),
  );

/** The workflow's code, for files of which nothing is declared. */
export const layerCsvTransformTask = CsvTransformTask.toLayer(body({ rejectsFormat: "ndjson" }));
