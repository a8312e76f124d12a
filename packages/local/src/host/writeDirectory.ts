/**
 * Writes the directory of the local stage, as the stacks write that of a deployed one: the same commands read both.
 */
import { PutParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import {
  type PipelineDocument,
  pipelineParameter,
  type StageDocument,
  stageParameter,
} from "@millrace/functions/StageDirectory";
import { type PipelineBase } from "@millrace/workflows/topology";
import { localAccount } from "../LocalAccount.ts";
import {
  localArchive,
  localBuckets,
  localQueues,
  localStage,
  localTables,
  localValuesBucket,
  queueArn,
  queueUrl,
} from "./LocalResources.ts";

const eventsArn = (resource: string): string =>
  `arn:aws:events:${localAccount.region}:${localAccount.accountId}:${resource}`;

const stageDocument: StageDocument = {
  buckets: { ...localBuckets, values: localValuesBucket },
  tables: localTables,
  objectsArchiveArn: eventsArn(`archive/${localArchive}`),
  eventBusArn: eventsArn("event-bus/default"),
  pausedBy: "tag",
};

/** Written anew at every start: the port may be another one. */
export const writeDirectory = async (
  ssm: SSMClient,
  endpoint: string,
  pipelines: ReadonlyArray<PipelineBase>,
): Promise<void> => {
  await write(ssm, stageParameter(localStage), stageDocument);
  for (const pipeline of pipelines) {
    const { deadLetters, queue, undelivered } = localQueues(pipeline);
    const at = (name: string) => ({ url: queueUrl(endpoint, name), arn: queueArn(name) });
    await write(ssm, pipelineParameter(localStage, pipeline.name), {
      queue: at(queue),
      deadLetters: at(deadLetters),
      undelivered: at(undelivered),
    });
  }
};

const write = (ssm: SSMClient, Name: string, document: StageDocument | PipelineDocument) =>
  ssm.send(
    new PutParameterCommand({
      Name,
      Value: JSON.stringify(document),
      Type: "String",
      Overwrite: true,
    }),
  );
