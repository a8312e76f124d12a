/**
 * What a pipeline's function is told by its environment: exactly the variables that
 * packages/functions/src/Environment.ts reads.
 */
import { variables } from "@millrace/functions/Environment";
import { buckets } from "../buckets";
import { catalog } from "../catalog";
import { bus } from "../events";
import { scheduleGroup } from "../schedules";
import { secretsPrefix } from "../secrets";
import { stage } from "../stage";
import { tableVariables } from "../tables";
import { executionsTopic } from "../topics";
import type { AnyPipeline } from "../topology";
import type { PipelineQueues } from "./queues";

export const pipelineEnvironment = (
  { dataset }: AnyPipeline,
  { deadLetters, main, undelivered }: PipelineQueues,
  schedulerRoleArn: $util.Input<string>,
) => ({
  [variables.buckets.raw]: buckets.raw.name,
  [variables.buckets.clean]: buckets.clean.name,
  [variables.buckets.errors]: buckets.errors.name,
  [variables.valuesBucket]: buckets.values.name,
  ...tableVariables,
  [variables.codeVersion]: stage.codeVersion,
  [variables.secretsPrefix]: secretsPrefix,
  [variables.queueUrl]: main.url,
  [variables.queueArn]: main.arn,
  [variables.deadLetterQueueUrl]: deadLetters.url,
  [variables.undeliveredQueueArn]: undelivered.arn,
  [variables.busName]: bus.name,
  [variables.topicArn]: executionsTopic.arn,
  [variables.schedulerGroup]: scheduleGroup.name,
  [variables.schedulerRoleArn]: schedulerRoleArn,
  [variables.metricsNamespace]: stage.metricsNamespace,
  ...(dataset && { [variables.catalogDatabase]: catalog.database.name }),
});
