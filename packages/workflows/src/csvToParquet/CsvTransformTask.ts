/**
 * The transform of a CSV file as an execution of its own, run in a container for objects that are too large for a
 * function. Its journal holds the work, so that the next container goes on where this one was stopped.
 *
 * It announces nothing and quarantines nothing: that is its parent's affair, which is told of its end.
 */
import { ExecutionVersion, ObjectCreated, WorkflowVersion } from "@millrace/core";
import { Context, Effect, Layer, Schema } from "effect";
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
    annotations: Context.make(WorkflowVersion, 2),
  });

/** That of csv-to-parquet. */
export const CsvTransformTask = transformTask(pipelines.csvToParquet.task.workflow);

/**
 * Files that come to a task are large: DuckDB takes them, unless the options say otherwise. What began with version 1
 * has the stream engine's steps in its history.
 */
const inTask = (plan: CsvPipelinePlan) =>
  Effect.map(ExecutionVersion, (version): CsvPipelinePlan => ({
    engine: version < 2 ? "stream" : "duckdb",
    ...plan,
  }));

/** The workflow's code, with the options of its pipeline. Fails: ColumnUnsupported. */
export const layerCsvTransformTaskWith = (options: CsvPipelineOptions) =>
  Layer.unwrap(
    Effect.map(Effect.fromResult(planCsvPipeline(options)), (plan) =>
      CsvTransformTask.toLayer(({ object, startedEpochMs }) =>
        Effect.flatMap(inTask(plan), (own) => transformParts(object, startedEpochMs, own)),
      ),
    ),
  );

/** The workflow's code, for files of which nothing is declared. */
export const layerCsvTransformTask = CsvTransformTask.toLayer(({ object, startedEpochMs }) =>
  Effect.flatMap(inTask({ rejectsFormat: "ndjson" }), (own) =>
    transformParts(object, startedEpochMs, own),
  ),
);
