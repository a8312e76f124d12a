/**
 * The numbers that alarms and the dashboard show, by what they are about.
 */
import { bus } from "../events";
import { stage } from "../stage";
import { isChain } from "../topology";
import type { Watched } from "./alarms";
import type { DeployedPipeline } from "./pipeline";

type Text = $util.Input<string>;

export const ofFunction = (functionName: Text, metric: string, statistic = "Sum"): Watched => ({
  namespace: "AWS/Lambda",
  metric,
  dimensions: { FunctionName: functionName },
  statistic,
});

export const ofQueue = (queueName: Text, metric: string, statistic = "Maximum"): Watched => ({
  namespace: "AWS/SQS",
  metric,
  dimensions: { QueueName: queueName },
  statistic,
});

export const ofTable = (tableName: Text, metric: string): Watched => ({
  namespace: "AWS/DynamoDB",
  metric,
  dimensions: { TableName: tableName },
  statistic: "Sum",
});

/** A rule of the default bus is known by its name alone, one of another bus by both names. */
export const ofRule = ({ pipeline, rule }: DeployedPipeline, metric: string): Watched => ({
  namespace: "AWS/Events",
  metric,
  dimensions: {
    RuleName: rule.name,
    ...(isChain(pipeline) && { EventBusName: bus.name }),
  },
  statistic: "Sum",
});

/** The rule that tells of a pipeline's tasks, on the default bus. */
export const ofTaskRule = (rule: aws.cloudwatch.EventRule, metric: string): Watched => ({
  namespace: "AWS/Events",
  metric,
  dimensions: { RuleName: rule.name },
  statistic: "Sum",
});

/** What the functions count themselves (packages/core/src/Metrics.ts). */
export const ofPipeline = (pipeline: string, metric: string, statistic = "Sum"): Watched => ({
  namespace: stage.metricsNamespace,
  metric,
  dimensions: { Pipeline: pipeline },
  statistic,
});
