/**
 * The journal and the index that a command reads, and the queues by which it asks for runs, of a stage.
 */
import { type Commit, Journal, QueueSchedules, QueueWakes } from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoJournal,
  S3LargeValues,
  SqsMessageQueue,
} from "@millrace/core/aws";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Effect, Layer, Schema } from "effect";
import type { Stage } from "./Stage.ts";

/** Journal and Executions of the stage. */
export const layerStores = (stage: Stage) =>
  Layer.mergeAll(
    DynamoJournal.layerDynamo(stage.tables.journal),
    DynamoExecutions.layerDynamo(stage.tables.executions),
    S3LargeValues.layerS3(stage.buckets.values, stage.clients),
  ).pipe(Layer.provide(DocumentClient.layer(stage.clients)));

const pipelineOf = (workflow: string): PipelineTopology | undefined =>
  Object.values(pipelines).find((pipeline) => pipeline.workflow === workflow);

/** Whether containers run it: whoever launched them is redriven, and launches the next. */
export const isTaskWork = (workflow: string): boolean =>
  Object.values(pipelines).some(
    (pipeline: PipelineTopology) => pipeline.task?.workflow === workflow,
  );

/** Nobody could be asked to run it. */
export class NoPipelineForWorkflow extends Schema.TaggedError<NoPipelineForWorkflow>()(
  "NoPipelineForWorkflow",
  { executionId: Schema.String, workflow: Schema.String },
) {
  override get message(): string {
    return `execution ${this.executionId} is of ${this.workflow}, which no pipeline starts: name the execution that it is a child of`;
  }
}

/** Fails for an execution that no pipeline's queue is for. */
export const requirePipeline = Effect.fnUntraced(function* (
  executionId: string,
  commits: ReadonlyArray<Commit>,
) {
  const started = commits
    .flatMap(({ events }) => events)
    .find((event) => event._tag === "ExecutionStarted");
  // One that was not started is unknown, which whoever asks for it finds out.
  if (!started || pipelineOf(started.workflow)) return;
  return yield* new NoPipelineForWorkflow({ executionId, workflow: started.workflow });
});

/** The same for an execution that has not been read yet. */
export const requirePipelineOf = Effect.fnUntraced(function* (executionId: string) {
  const journal = yield* Journal;
  yield* requirePipeline(executionId, yield* journal.load(executionId, 0));
});

/** The pipelines' queues, by the pipelines' names. */
export const layerQueues = (stage: Stage) =>
  SqsMessageQueue.layerSqs((pipeline) => stage.queueNamed(pipeline).url, stage.clients);

/** The same stores, the queues, and wakes through them. */
export const layerOperations = (stage: Stage) => {
  const wakes = QueueWakes.layerQueue((workflow) => pipelineOf(workflow)?.name ?? workflow);
  // A command asks for what is due now, and needs no scheduler.
  const schedules = QueueSchedules.layerQueueDelay;
  return Layer.merge(
    layerStores(stage),
    wakes.pipe(Layer.provide(schedules), Layer.provideMerge(layerQueues(stage))),
  );
};
