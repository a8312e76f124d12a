/**
 * The journal and the index that a command reads, and the queues by which it asks for runs, in the AWS of a connection.
 */
import { type Commit, Journal, QueueSchedules, QueueWakes } from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoJournal,
  S3LargeValues,
  SqsMessageQueue,
} from "@millrace/core/aws";
import {
  type AwsConnection,
  clientConfig,
  localQueues,
  localTables,
  localValuesBucket,
  queueUrl,
} from "@millrace/local";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Effect, Layer, Schema } from "effect";

/** Journal and Executions behind the connection. */
export const layerStores = (connection: AwsConnection) =>
  Layer.mergeAll(
    DynamoJournal.layerDynamo(localTables.journal),
    DynamoExecutions.layerDynamo(localTables.executions),
    S3LargeValues.layerS3(localValuesBucket, { ...clientConfig(connection), forcePathStyle: true }),
  ).pipe(Layer.provide(DocumentClient.layer(clientConfig(connection))));

const pipelineOf = (workflow: string): PipelineTopology | undefined =>
  Object.values(pipelines).find((pipeline) => pipeline.workflow === workflow);

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

/** The pipelines' queues, by their names in the connection's AWS. */
export const layerQueues = (connection: AwsConnection) =>
  SqsMessageQueue.layerSqs(
    (queue) => queueUrl(connection.endpoint, queue),
    clientConfig(connection),
  );

/** The same stores, the queues, and wakes through them. */
export const layerOperations = (connection: AwsConnection) => {
  const wakes = QueueWakes.layerQueue((workflow) => {
    const pipeline = pipelineOf(workflow);
    return pipeline ? localQueues(pipeline).queue : workflow;
  });
  // A command asks for what is due now, and needs no scheduler.
  const schedules = QueueSchedules.layerQueueDelay;
  return Layer.merge(
    layerStores(connection),
    wakes.pipe(Layer.provide(schedules), Layer.provideMerge(layerQueues(connection))),
  );
};
