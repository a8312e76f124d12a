/**
 * What one pipeline is made of: rule -> queue -> function, and a dead-letter queue at each of the two steps.
 */
import { buckets } from "../buckets";
import { bus } from "../events";
import { makeSchedulerRole, scheduleGroup } from "../schedules";
import { logicalName, stage } from "../stage";
import { type AnyPipeline, isChain, patternOf } from "../topology";
import { makeFunction } from "./functions";
import { pipelineEnvironment } from "./pipelineEnvironment";
import { pipelineRights } from "./pipelineRights";
import { admitRule, makeQueues, type PipelineQueues } from "./queues";

/** EventBridge tries this often, for a day, before an event goes to the queue of the undelivered. */
const retryPolicy = { maximumRetryAttempts: 185, maximumEventAgeInSeconds: 86_400 };

export const makePipeline = (pipeline: AnyPipeline) => {
  const logical = logicalName(pipeline.name);
  const { compute } = pipeline;
  const queues = makeQueues(pipeline);
  const rule = makeRule(pipeline, queues);
  const schedulerRole = makeSchedulerRole(`${logical}Timers`, scheduleGroup.arn, [
    { actions: ["sqs:SendMessage"], resources: [queues.main.arn, queues.undelivered.arn] },
  ]);
  const environment = pipelineEnvironment(queues, schedulerRole.arn);
  const rights = pipelineRights(pipeline, queues, schedulerRole.arn);
  const { fn, log, targetArn } = makeFunction(logical, {
    description: `pipeline ${pipeline.name}`,
    handler: pipeline.handler,
    ...compute,
    nativePackages: pipeline.nativePackages,
    reservedCount: compute.concurrencyMax,
    environment,
    rights,
  });
  new aws.lambda.EventSourceMapping(`${logical}Mapping`, {
    eventSourceArn: queues.main.arn,
    functionName: targetArn,
    batchSize: compute.batchSize,
    functionResponseTypes: ["ReportBatchItemFailures"],
    // Messages wait in the queue, and are not counted as received, while this many functions work.
    scalingConfig: { maximumConcurrency: compute.concurrencyMax },
  });
  return { pipeline, queues, rule, fn, log, environment, rights };
};

export type DeployedPipeline = ReturnType<typeof makePipeline>;

const makeRule = (pipeline: AnyPipeline, queues: PipelineQueues) => {
  const logical = logicalName(pipeline.name);
  const busName = isChain(pipeline) ? bus.name : "default";
  const bucketName = isChain(pipeline) ? "" : buckets[pipeline.trigger.bucket].name;
  const rule = new aws.cloudwatch.EventRule(`${logical}Rule`, {
    namePrefix: `${$app.name}-${stage.name}-${pipeline.name}-`.slice(0, 38),
    description: `starts pipeline ${pipeline.name}`,
    eventBusName: busName,
    eventPattern: $util.output(bucketName).apply((name) => patternOf(pipeline, name)),
  });
  new aws.cloudwatch.EventTarget(`${logical}Target`, {
    rule: rule.name,
    eventBusName: busName,
    arn: queues.main.arn,
    deadLetterConfig: { arn: queues.undelivered.arn },
    retryPolicy,
  });
  admitRule(pipeline, queues, rule.arn);
  return rule;
};
