/**
 * The transform of a CSV file as an execution of its own, run in a container for objects that are too large for a
 * function. Its journal holds the work, so that the next container goes on where this one was stopped.
 *
 * It announces nothing and quarantines nothing: that is its parent's affair, which is told of its end.
 */
import { ObjectCreated } from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { pipelines } from "../topology.ts";
import {
  type CsvPipelineOptions,
  type CsvPipelinePlan,
  planCsvPipeline,
} from "./CsvPipelineOptions.ts";
import { CsvObjectFailure, Transformed } from "./activities.ts";
import { transformParts } from "./transformParts.ts";

/** A pipeline's own, by the name that its topology gives to what its tasks run. */
export const transformTask = <const Tag extends string>(tag: Tag) =>
  Workflow.make(tag, {
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

/** That of csv-to-parquet. */
export const CsvTransformTask = transformTask(pipelines.csvToParquet.task.workflow);

/** Files that come to a task are large: DuckDB takes them, unless the options say otherwise. */
const inTask = (plan: CsvPipelinePlan): CsvPipelinePlan => ({ engine: "duckdb", ...plan });

/** The workflow's code, with the options of its pipeline. Fails: ColumnUnsupported. */
export const layerCsvTransformTaskWith = (options: CsvPipelineOptions) =>
  Layer.unwrap(
    Effect.map(Effect.fromResult(planCsvPipeline(options)), (plan) =>
      CsvTransformTask.toLayer(({ object, startedEpochMs }) =>
        transformParts(object, startedEpochMs, inTask(plan)),
      ),
    ),
  );

/** The workflow's code, for files of which nothing is declared. */
export const layerCsvTransformTask = CsvTransformTask.toLayer(({ object, startedEpochMs }) =>
  transformParts(object, startedEpochMs, inTask({ rejectsFormat: "ndjson" })),
);
