/**
 * The numbers that alarms and the dashboard show, by what they are about.
 */
import { stage } from "../stage";
import type { Watched } from "./alarms";

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

export const ofRule = (ruleName: Text, metric: string): Watched => ({
  namespace: "AWS/Events",
  metric,
  dimensions: { RuleName: ruleName },
  statistic: "Sum",
});

/** What the functions count themselves (packages/core/src/Metrics.ts). */
export const ofPipeline = (pipeline: string, metric: string, statistic = "Sum"): Watched => ({
  namespace: stage.metricsNamespace,
  metric,
  dimensions: { Pipeline: pipeline },
  statistic,
});
