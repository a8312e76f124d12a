/**
 * The names of everything that local mode makes for a topology; pure, so that every command finds the same things.
 */
import { variables } from "@millrace/functions/Environment";
import { type StageTable, tables } from "@millrace/functions/tables";
import {
  type BucketName,
  type PipelineBase,
  type ScheduledTopology,
  type Topology,
} from "@millrace/workflows/topology";
import { localAccount } from "../LocalAccount.ts";

/** The name of the stage that local mode is. */
export const localStage = "local";

/** Buckets by logical name. */
export const localBuckets: Readonly<Record<BucketName, string>> = {
  raw: "millrace-raw",
  clean: "millrace-clean",
  errors: "millrace-errors",
};

/** Values that are too large for the journal. */
export const localValuesBucket = "millrace-values";

export const localTables = {
  journal: "MillraceJournal",
  executions: "MillraceExecutions",
  images: "MillraceImages",
  objectHeads: "MillraceObjectHeads",
  idempotency: "MillraceIdempotency",
  limits: "MillraceLimits",
} as const satisfies Readonly<Record<StageTable["name"], string>>;

/** The tables' names, as functions are told them. */
const tableVariables: Readonly<Record<string, string>> = Object.fromEntries(
  tables.map(({ name, variable }) => [variable, localTables[name]]),
);

/** The database of the data catalog. */
export const localDatabase = "millrace_results";

/** The archive of all object events. */
export const localArchive = "millrace-objects";

/** The bus on which executions are announced. */
export const localBus = "millrace";

/** The topic of their ends. */
export const localTopic = "millrace-executions";
export const localTopicArn = `arn:aws:sns:${localAccount.region}:${localAccount.accountId}:${localTopic}`;

/** The group of the schedules that the functions make. */
export const localScheduleGroup = "millrace";

/** There is no IAM here: the role is only named. */
export const localSchedulerRoleArn = `arn:aws:iam::${localAccount.accountId}:role/millrace-scheduler`;

/** The cluster of the tasks. */
export const localCluster = "millrace-tasks";

/** The family of a pipeline's tasks, and the rule that tells the pipeline of their ends. */
export const localTask = ({ name }: PipelineBase): string => `millrace-${name}`;
export const localTaskRule = ({ name }: PipelineBase): string => `millrace-${name}-tasks`;

/** The schedule and the function of the sweeper or the reconciler. */
export const localScheduled = ({ name }: ScheduledTopology): string => `millrace-${name}`;

/** They come more often here than in AWS: it costs nothing, and nobody wants to wait on his own machine. */
export const localMinutes = { sweeper: 1, reconciler: 10 } as const;

export interface LocalQueueNames {
  readonly queue: string;
  /** What the queue gave up on, and what the pipeline routed there. */
  readonly deadLetters: string;
  /** What the rule or a schedule could not deliver to the queue. */
  readonly undelivered: string;
}

/** The queues of a pipeline. */
export const localQueues = ({ name }: PipelineBase): LocalQueueNames => ({
  queue: `millrace-${name}`,
  deadLetters: `millrace-${name}-dead-letters`,
  undelivered: `millrace-${name}-undelivered`,
});

export const localRule = ({ name }: PipelineBase): string => `millrace-${name}`;

export const queueUrl = (endpoint: string, queue: string): string =>
  `${endpoint}/${localAccount.accountId}/${queue}`;

export const queueArn = (queue: string): string =>
  `arn:aws:sqs:${localAccount.region}:${localAccount.accountId}:${queue}`;

/** What the function of a pipeline is told by its environment. */
export const localVariables = (
  endpoint: string,
  pipeline: PipelineBase,
): Readonly<Record<string, string>> => {
  const { deadLetters, queue, undelivered } = localQueues(pipeline);
  return {
    [variables.buckets.raw]: localBuckets.raw,
    [variables.buckets.clean]: localBuckets.clean,
    [variables.buckets.errors]: localBuckets.errors,
    [variables.valuesBucket]: localValuesBucket,
    ...tableVariables,
    [variables.queueUrl]: queueUrl(endpoint, queue),
    [variables.deadLetterQueueUrl]: queueUrl(endpoint, deadLetters),
    [variables.queueArn]: queueArn(queue),
    [variables.undeliveredQueueArn]: queueArn(undelivered),
    [variables.busName]: localBus,
    [variables.topicArn]: localTopicArn,
    [variables.schedulerGroup]: localScheduleGroup,
    [variables.schedulerRoleArn]: localSchedulerRoleArn,
    [variables.codeVersion]: "local",
    ...(pipeline.dataset && { [variables.catalogDatabase]: localDatabase }),
    ...(pipeline.task && {
      [variables.taskCluster]: localCluster,
      [variables.taskDefinition]: localTask(pipeline),
      // There is no network here: it is only named.
      [variables.taskSubnets]: "subnet-local",
      [variables.taskSecurityGroups]: "sg-local",
    }),
  };
};

/** What the sweeper's function is told by its environment. */
export const localSweeperVariables = (
  endpoint: string,
  { chains, pipelines }: Topology,
): Readonly<Record<string, string>> => ({
  [variables.journalTable]: localTables.journal,
  [variables.executionsTable]: localTables.executions,
  [variables.pipelineQueueUrls]: JSON.stringify(
    Object.fromEntries(
      [...pipelines, ...chains].map((pipeline) => [
        pipeline.name,
        queueUrl(endpoint, localQueues(pipeline).queue),
      ]),
    ),
  ),
});

/** What the reconciler's function is told by its environment. */
export const localReconcilerVariables: Readonly<Record<string, string>> = {
  [variables.buckets.raw]: localBuckets.raw,
  [variables.buckets.clean]: localBuckets.clean,
  [variables.buckets.errors]: localBuckets.errors,
  [variables.journalTable]: localTables.journal,
  [variables.executionsTable]: localTables.executions,
};

/** What the function of the upload API is told by its environment. */
export const localUploadVariables: Readonly<Record<string, string>> = {
  [variables.buckets.raw]: localBuckets.raw,
  [variables.buckets.clean]: localBuckets.clean,
  [variables.buckets.errors]: localBuckets.errors,
};
