/**
 * What one pipeline is made of: rule -> queue -> function, and a dead-letter queue at each of the two steps. Where it has
 * tasks, the function may launch them, and a second rule tells of their ends.
 */
import { buckets } from "../buckets";
import { bus } from "../events";
import { makeSchedulerRole, scheduleGroup } from "../schedules";
import { logicalName, stage } from "../stage";
import { type AnyPipeline, isChain, patternOf } from "../topology";
import { makeFunction } from "./functions";
import { pipelineEnvironment } from "./pipelineEnvironment";
import { pipelineRights } from "./pipelineRights";
import { admitRules, makeQueues, type PipelineQueues } from "./queues";
import { makeTaskRoles, type TaskRoles } from "./taskRoles";

/** EventBridge tries this often, for a day, before an event goes to the queue of the undelivered. */
const retryPolicy = { maximumRetryAttempts: 185, maximumEventAgeInSeconds: 86_400 };

export const makePipeline = (pipeline: AnyPipeline) => {
  const logical = logicalName(pipeline.name);
  const { compute } = pipeline;
  const queues = makeQueues(pipeline);
  const schedulerRole = makeSchedulerRole(`${logical}Timers`, scheduleGroup.arn, [
    { actions: ["sqs:SendMessage"], resources: [queues.main.arn, queues.undelivered.arn] },
  ]);
  const taskEnvironment = pipelineEnvironment(pipeline, queues, schedulerRole.arn);
  const taskRights = pipelineRights(pipeline, queues, schedulerRole.arn);
  const taskRoles = makeTaskRoles(pipeline, taskRights);
  const rule = makeRule(pipeline, queues);
  const taskRule = taskRoles && makeTaskRule(pipeline, queues, taskRoles);
  admitRules(pipeline, queues, [rule.arn, ...(taskRule ? [taskRule.arn] : [])]);
  const environment = { ...taskEnvironment, ...taskRoles?.environment };
  const rights = [...taskRights, ...(taskRoles?.rights ?? [])];
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
  return { pipeline, queues, rule, taskRule, fn, log, environment, taskEnvironment, taskRoles };
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
  target(`${logical}Target`, { rule: rule.name, eventBusName: busName }, queues);
  return rule;
};

/** The ends of a pipeline's tasks reach the execution that waits for them by the pipeline's queue. */
const makeTaskRule = (pipeline: AnyPipeline, queues: PipelineQueues, { pattern }: TaskRoles) => {
  const logical = `${logicalName(pipeline.name)}Tasks`;
  const rule = new aws.cloudwatch.EventRule(`${logical}Rule`, {
    namePrefix: `${$app.name}-${stage.name}-${pipeline.name}-tasks-`.slice(0, 38),
    description: `tells pipeline ${pipeline.name} of the ends of its tasks`,
    eventBusName: "default",
    eventPattern: pattern,
  });
  target(`${logical}Target`, { rule: rule.name, eventBusName: "default" }, queues);
  return rule;
};

const target = (
  name: string,
  of: { rule: $util.Input<string>; eventBusName: $util.Input<string> },
  queues: PipelineQueues,
): void => {
  new aws.cloudwatch.EventTarget(name, {
    ...of,
    arn: queues.main.arn,
    deadLetterConfig: { arn: queues.undelivered.arn },
    retryPolicy,
  });
};
