/**
 * CSV to Parquet, as a workflow: a file under `incoming/` becomes `processed/<path>/<YYYY>/<MM>/<DD>/<name>.parquet`.
 *
 *   validate    the first 64 KiB: is it text, in which encoding, with which delimiter and columns?
 *   transform   one streaming pass: validate rows, clean, transform, enrich, output; its report tells of each stage.
 *               A large file takes a step for each part, and becomes a folder of parts with a manifest (transformParts).
 *               In the function, or in a task: what decided stands in the result of validate (see chooseCompute)
 *   on failure  quarantine the file with its reason, dead-letter the execution
 *
 * Its start and its end are announced (see announceLife).
 *
 * Requirements D1.4 to D1.7, D1.11, D1.13, D3.2, D3.3.
 */
import {
  announceLife,
  ExecutionVersion,
  FargateTask,
  makeActivity,
  objectName,
  Retry,
  WorkflowVersion,
} from "@millrace/core";
import { Clock, Context, Effect, Layer, Schema } from "effect";
import { Workflow, WorkflowEngine } from "effect/workflow";
import { monthColumn } from "../dataset/partitionBy.ts";
import { objectKey, objectPayload, sameObject } from "../objectPayload.ts";
import { refuseInvalid } from "../refuseInvalid.ts";
import { pipelines } from "../topology.ts";
import {
  type CsvPipelineOptions,
  type CsvPipelinePlan,
  planCsvPipeline,
} from "./CsvPipelineOptions.ts";
import { CsvTransformTask } from "./CsvTransformTask.ts";
import { CsvObjectFailure, Looked, look, Transformed } from "./activities.ts";
import { chooseReferences, transformParts, transformWhole } from "./transformParts.ts";

export const CsvToParquet = Workflow.make("CsvToParquet", {
  payload: objectPayload,
  success: Transformed,
  error: Schema.Union([CsvObjectFailure, FargateTask.TaskFailure]),
  idempotencyKey: objectKey,
  annotations: Context.add(sameObject, WorkflowVersion, 3),
});

/** A task of this pipeline may take so long; the largest file that is expected takes less than half of it. */
const taskTimeout = "1 hour";

const body = (plan: CsvPipelinePlan) =>
  Effect.fnUntraced(function* ({ object }: typeof CsvToParquet.payloadSchema.Type) {
    // The body's clock stands at the execution's recorded start: every run writes the same bytes.
    const startedEpochMs = yield* Clock.currentTimeMillis;
    return yield* Effect.gen(function* () {
      const { route } = yield* makeActivity({
        name: "validate",
        success: Looked,
        error: CsvObjectFailure,
        execute: look(object, startedEpochMs, plan),
      }).pipe(Retry.retryActivity());
      // Executions from before there was a choice have none recorded.
      if (route?.compute === "fargate") {
        const { executionId: parent } = yield* WorkflowEngine.WorkflowInstance;
        return yield* FargateTask.run(CsvTransformTask, {
          step: "transform",
          payload: { object, startedEpochMs, parent },
          timeout: taskTimeout,
        });
      }
      // Executions that began before there were parts go on without, unless each month needs an object of its own.
      return (yield* ExecutionVersion) < 3 && monthColumn(plan.dataset) === undefined
        ? yield* transformWhole({
            object,
            processedAtEpochMs: startedEpochMs,
            plan,
            references: yield* chooseReferences(plan),
          })
        : yield* transformParts(object, startedEpochMs, plan);
    }).pipe(
      refuseInvalid(pipelines.csvToParquet, object),
      announceLife({
        pipeline: pipelines.csvToParquet.name,
        subject: objectName(object),
        object,
        success: Transformed,
        sinceVersion: 2,
      }),
    );
  });

/**
 * The workflow's code, for files as the options declare them. The options are no part of an execution's history: a
 * redriven execution is processed by those of the code that is deployed then.
 *
 * Fails:  ColumnUnsupported - the declared schema has a field that cannot be a column
 *         StepUnsupported - the steps do not go together with each other or with the schema
 *         PartitionUnsupported - the dataset's rows cannot be told by that column
 *         DatasetUnsupported - the dataset's table has a name that no catalog takes
 */
export const layerCsvToParquetWith = (options: CsvPipelineOptions) =>
  Layer.unwrap(
    Effect.map(Effect.fromResult(planCsvPipeline(options)), (plan) =>
      CsvToParquet.toLayer(body(plan)),
    ),
  );

/** The workflow's code, for files of which nothing is declared. */
export const layerCsvToParquet = CsvToParquet.toLayer(body({ rejectsFormat: "ndjson" }));
