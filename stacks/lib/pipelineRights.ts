/**
 * What a pipeline's worker may do, in a function or in a task: each action that its code calls, on exactly the
 * resources it calls it for.
 *
 * The list is read from the adapters in packages/core/src/aws; test/infra/calledActions.test.ts compares it with them.
 */
import { lifecycleSource } from "@millrace/core/Lifecycle";
import type { PipelineOutput } from "@millrace/workflows/topology";
import { buckets } from "../buckets";
import { catalog } from "../catalog";
import { bus } from "../events";
import { schedulesArn } from "../schedules";
import { secretArns } from "../secrets";
import { tables } from "../tables";
import { executionsTopic } from "../topics";
import { type AnyPipeline, allPipelines, isChain } from "../topology";
import type { Right } from "./policies";
import type { PipelineQueues } from "./queues";

export const pipelineRights = (
  pipeline: AnyPipeline,
  queues: PipelineQueues,
  schedulerRoleArn: $util.Input<string>,
): ReadonlyArray<Right> => [
  ...queueRights(queues),
  ...stateRights,
  ...tableRights(pipeline),
  ...[...inputsOf(pipeline), ...(pipeline.reads ?? [])].flatMap(readRights),
  ...pipeline.outputs.flatMap(writeRights),
  ...valueRights,
  ...announceRights,
  ...timerRights(schedulerRoleArn),
  ...secretRights(pipeline),
  ...datasetRights(pipeline),
];

const queueRights = ({ deadLetters, main }: PipelineQueues): ReadonlyArray<Right> => [
  {
    actions: [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:GetQueueAttributes",
    ],
    resources: [main.arn],
  },
  // Wakes go to its own queue.
  { actions: ["sqs:SendMessage"], resources: [main.arn, deadLetters.arn] },
];

/** No Scan, no BatchWrite, and nothing is deleted but a claim that was given up. */
const stateRights: ReadonlyArray<Right> = [
  {
    actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
    resources: [tables.journal.arn],
  },
  {
    actions: ["dynamodb:GetItem", "dynamodb:PutItem"],
    resources: [tables.executions.arn, tables.objectHeads.arn, tables.limits.arn],
  },
  {
    actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
    resources: [tables.idempotency.arn],
  },
];

const tableRights = (pipeline: AnyPipeline): ReadonlyArray<Right> =>
  (pipeline.tables ?? []).map((name) => ({
    actions: ["dynamodb:PutItem"],
    resources: [tables[name].arn],
  }));

/** What it reads: the objects that start it, or what the pipeline before it wrote. */
const inputsOf = (pipeline: AnyPipeline): ReadonlyArray<PipelineOutput> => {
  if (!isChain(pipeline)) return [pipeline.trigger];
  return allPipelines.find(({ name }) => name === pipeline.after)?.outputs ?? [];
};

const readRights = ({
  bucket,
  prefix,
}: Pick<PipelineOutput, "bucket" | "prefix">): ReadonlyArray<Right> => [
  {
    // A copy to the error bucket takes the object's tags along.
    actions: [
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:GetObjectTagging",
      "s3:GetObjectVersionTagging",
    ],
    resources: [$interpolate`${buckets[bucket].arn}/${prefix}*`],
  },
  // Without it S3 says "denied" of an object that is gone, and a retry would never end.
  { actions: ["s3:ListBucket", "s3:ListBucketVersions"], resources: [buckets[bucket].arn] },
];

const writeRights = ({ bucket, prefix, removes }: PipelineOutput): ReadonlyArray<Right> => [
  {
    actions: [
      "s3:PutObject",
      "s3:AbortMultipartUpload",
      ...(bucket === "errors" ? ["s3:PutObjectTagging"] : []),
      ...(removes === true ? ["s3:DeleteObject", "s3:GetObject"] : []),
    ],
    resources: [$interpolate`${buckets[bucket].arn}/${prefix}*`],
  },
];

const valueRights: ReadonlyArray<Right> = [
  {
    actions: ["s3:GetObject", "s3:PutObject"],
    resources: [$interpolate`${buckets.values.arn}/values/*`],
  },
  // A value that is lost is told from one that may not be read.
  { actions: ["s3:ListBucket"], resources: [buckets.values.arn] },
];

const announceRights: ReadonlyArray<Right> = [
  {
    actions: ["events:PutEvents"],
    resources: [bus.arn],
    conditions: [{ test: "StringEquals", variable: "events:source", values: [lifecycleSource] }],
  },
  { actions: ["sns:Publish"], resources: [executionsTopic.arn] },
];

const timerRights = (roleArn: $util.Input<string>): ReadonlyArray<Right> => [
  { actions: ["scheduler:CreateSchedule"], resources: [schedulesArn] },
  {
    actions: ["iam:PassRole"],
    resources: [roleArn],
    conditions: [
      {
        test: "StringEquals",
        variable: "iam:PassedToService",
        values: ["scheduler.amazonaws.com"],
      },
    ],
  },
];

const secretRights = ({ secrets = [] }: AnyPipeline): ReadonlyArray<Right> =>
  secrets.length === 0
    ? []
    : [{ actions: ["secretsmanager:GetSecretValue"], resources: secretArns(secrets) }];

/** Nothing is read or removed but the table itself; partitions are only added. */
const datasetRights = ({ dataset }: AnyPipeline): ReadonlyArray<Right> =>
  dataset === undefined
    ? []
    : [
        {
          actions: [
            "glue:GetTable",
            "glue:CreateTable",
            "glue:UpdateTable",
            "glue:BatchCreatePartition",
          ],
          resources: catalog.tableArns(dataset.table),
        },
      ];
