/**
 * Makes in the embedded AWS what the stacks make in the real one: buckets, tables, queues, rules and the archive of
 * the topology, through the same API. Doing it again changes nothing.
 */
import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  ResourceAlreadyExistsException,
} from "@aws-sdk/client-eventbridge";
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  ConflictException,
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { toCompletionPattern, toEventPattern, toTaskPattern } from "@millrace/core";
import { type StageTable, tables } from "@millrace/functions/tables";
import {
  type BucketName,
  type ChainTopology,
  deadLetterRetentionSeconds,
  type PipelineBase,
  type PipelineTopology,
  refuseLoops,
  type Topology,
} from "@millrace/workflows/topology";
import { Clock, Effect, Schema } from "effect";
import type { AwsConnection } from "../EmbeddedAws.ts";
import { clusterArn } from "../ecs/EcsNames.ts";
import { localAccount } from "../LocalAccount.ts";
import { functionArn } from "../LocalFunctions.ts";
import {
  localArchive,
  localBuckets,
  localBus,
  localCluster,
  localMinutes,
  localQueues,
  localRule,
  localScheduled,
  localScheduleGroup,
  localSchedulerRoleArn,
  localTables,
  localTask,
  localTaskRule,
  localTopic,
  localValuesBucket,
  queueArn,
  queueUrl,
} from "./LocalResources.ts";
import { writeDirectory } from "./writeDirectory.ts";

/** Something of the topology could not be made. */
export class ProvisioningFailed extends Schema.TaggedError<ProvisioningFailed>()(
  "ProvisioningFailed",
  { resource: Schema.String, cause: Schema.Defect() },
) {
  override get message(): string {
    return `${this.resource} could not be made in the embedded AWS: ${String(this.cause)}; forget its state with --clean if it comes from another version`;
  }
}

/** Times of a pipeline's queue and function, where local mode differs from the topology. */
export interface LocalTimes {
  readonly timeoutSeconds: number;
  readonly visibilitySeconds: number;
}

interface Clients {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly dynamo: DynamoDBClient;
  readonly events: EventBridgeClient;
  readonly scheduler: SchedulerClient;
  readonly sns: SNSClient;
  readonly ssm: SSMClient;
}

/** What is to be made. */
export interface Provisions extends Topology {
  readonly timesOf: (pipeline: PipelineBase) => LocalTimes;
  /** Without workers nobody takes what the schedule sends. */
  readonly sweeps: boolean;
}

/** The configuration of any AWS client for the embedded AWS. */
export const clientConfig = (connection: AwsConnection) => ({
  endpoint: connection.endpoint,
  region: connection.region,
  credentials: {
    accessKeyId: connection.accessKeyId,
    secretAccessKey: connection.secretAccessKey,
  },
});

const make = (resource: string, run: () => Promise<unknown>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new ProvisioningFailed({ resource, cause }) });

/** Makes everything, unless the topology would feed on itself. */
export const provision = Effect.fnUntraced(function* (
  connection: AwsConnection,
  { chains, pipelines, reconciler, sweeper, sweeps, timesOf }: Provisions,
) {
  yield* refuseLoops(pipelines, chains);
  const config = clientConfig(connection);
  const clients: Clients = {
    s3: new S3Client(config),
    sqs: new SQSClient(config),
    dynamo: new DynamoDBClient(config),
    events: new EventBridgeClient(config),
    scheduler: new SchedulerClient(config),
    sns: new SNSClient(config),
    ssm: new SSMClient(config),
  };
  for (const name of ["raw", "clean", "errors"] as const) {
    yield* make(`bucket ${localBuckets[name]}`, () => makeBucket(clients, name));
  }
  yield* make(`bucket ${localValuesBucket}`, () => createBucket(clients, localValuesBucket));
  for (const table of tables) {
    yield* make(`table ${localTables[table.name]}`, () => makeTable(clients, table));
  }
  yield* make(`bus ${localBus}`, () =>
    clients.events
      .send(new CreateEventBusCommand({ Name: localBus }))
      .catch(unless(ResourceAlreadyExistsException)),
  );
  yield* make(`topic ${localTopic}`, () =>
    clients.sns.send(new CreateTopicCommand({ Name: localTopic })),
  );
  yield* make(`archive ${localArchive}`, () => makeArchive(clients));
  for (const pipeline of [...pipelines, ...chains]) {
    yield* make(`pipeline ${pipeline.name}`, () =>
      makePipeline(clients, connection.endpoint, pipeline, timesOf(pipeline)),
    );
    if (pipeline.task) {
      yield* make(`rule ${localTaskRule(pipeline)}`, () => makeTaskRule(clients, pipeline));
    }
  }
  yield* make(`schedule group ${localScheduleGroup}`, () =>
    clients.scheduler
      .send(new CreateScheduleGroupCommand({ Name: localScheduleGroup }))
      .catch(unless(ConflictException)),
  );
  yield* make("the stage's directory", () =>
    writeDirectory(clients.ssm, connection.endpoint, [...pipelines, ...chains]),
  );
  const nowMs = yield* Clock.currentTimeMillis;
  for (const [scheduled, everyMinutes] of [
    [sweeper, localMinutes.sweeper],
    [reconciler, localMinutes.reconciler],
  ] as const) {
    const Name = localScheduled(scheduled);
    yield* make(`schedule ${Name}`, () =>
      makeSchedule(clients, { Name, everyMinutes, fires: sweeps }, nowMs),
    );
  }
});

/** Swallows the error that says that the thing is there already. */
const unless =
  (kind: abstract new (...args: never) => Error) =>
  (error: unknown): void => {
    if (!(error instanceof kind)) throw error;
  };

const createBucket = ({ s3 }: Clients, Bucket: string): Promise<unknown> =>
  s3.send(new CreateBucketCommand({ Bucket })).catch(unless(BucketAlreadyOwnedByYou));

const makeBucket = async (clients: Clients, name: BucketName): Promise<void> => {
  const { s3 } = clients;
  const Bucket = localBuckets[name];
  await createBucket(clients, Bucket);
  await s3.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
  if (name !== "raw") return;
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
};

const makeTable = async (
  { dynamo }: Clients,
  { definition, name, timeToLive }: StageTable,
): Promise<void> => {
  const TableName = localTables[name];
  await dynamo
    .send(new CreateTableCommand({ TableName, ...definition }))
    .catch(unless(ResourceInUseException));
  if (timeToLive === undefined) return;
  const { TimeToLiveDescription } = await dynamo.send(new DescribeTimeToLiveCommand({ TableName }));
  // Setting it again is refused, as on AWS.
  if (TimeToLiveDescription?.TimeToLiveStatus === "ENABLED") return;
  await dynamo.send(
    new UpdateTimeToLiveCommand({
      TableName,
      TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
    }),
  );
};

/** The rule by which the ends of its tasks reach a pipeline. */
const makeTaskRule = async (
  { events }: Clients,
  pipeline: PipelineTopology | ChainTopology,
): Promise<void> => {
  const { queue, undelivered } = localQueues(pipeline);
  const Rule = localTaskRule(pipeline);
  await events.send(
    new PutRuleCommand({
      Name: Rule,
      EventBusName: "default",
      EventPattern: toTaskPattern(clusterArn(localCluster), localTask(pipeline)),
    }),
  );
  await events.send(
    new PutTargetsCommand({
      Rule,
      EventBusName: "default",
      Targets: [targetOf(queue, undelivered)],
    }),
  );
};

/** A queue as a rule's target, and where goes what it does not take. */
const targetOf = (queue: string, undelivered: string) => ({
  Id: "queue",
  Arn: queueArn(queue),
  RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 },
  DeadLetterConfig: { Arn: queueArn(undelivered) },
});

const makeArchive = ({ events }: Clients): Promise<unknown> =>
  events
    .send(
      new CreateArchiveCommand({
        ArchiveName: localArchive,
        EventSourceArn: `arn:aws:events:${localAccount.region}:${localAccount.accountId}:event-bus/default`,
        EventPattern: JSON.stringify({ source: ["aws.s3"], "detail-type": ["Object Created"] }),
      }),
    )
    .catch(unless(ResourceAlreadyExistsException));

const makePipeline = async (
  { events, sqs }: Clients,
  endpoint: string,
  pipeline: PipelineTopology | ChainTopology,
  times: LocalTimes,
): Promise<void> => {
  const { deadLetters, queue, undelivered } = localQueues(pipeline);
  for (const QueueName of [deadLetters, undelivered]) {
    await sqs.send(
      new CreateQueueCommand({
        QueueName,
        Attributes: { MessageRetentionPeriod: String(deadLetterRetentionSeconds) },
      }),
    );
  }
  await sqs.send(new CreateQueueCommand({ QueueName: queue }));
  // Set afterwards, because a queue that exists with other attributes cannot be created again.
  await sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: queueUrl(endpoint, queue),
      Attributes: {
        VisibilityTimeout: String(times.visibilitySeconds),
        MessageRetentionPeriod: String(pipeline.queue.retentionSeconds),
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: queueArn(deadLetters),
          maxReceiveCount: pipeline.queue.receiveCountMax,
        }),
      },
    }),
  );
  const Rule = localRule(pipeline);
  const { EventBusName, EventPattern } = sourceOf(pipeline);
  await events.send(new PutRuleCommand({ Name: Rule, EventBusName, EventPattern }));
  await events.send(
    new PutTargetsCommand({
      Rule,
      EventBusName,
      Targets: [targetOf(queue, undelivered)],
    }),
  );
};

/** Which events start it: of S3 on the default bus, or of the pipeline that it follows on the product's own. */
const sourceOf = (pipeline: PipelineTopology | ChainTopology) =>
  "after" in pipeline
    ? { EventBusName: localBus, EventPattern: toCompletionPattern(pipeline.after) }
    : {
        EventBusName: "default",
        EventPattern: toEventPattern(pipeline.trigger, localBuckets[pipeline.trigger.bucket]),
      };

const makeSchedule = async (
  { scheduler }: Clients,
  settings: { readonly Name: string; readonly everyMinutes: number; readonly fires: boolean },
  nowMs: number,
): Promise<void> => {
  const { everyMinutes, fires, Name } = settings;
  const schedule = {
    Name,
    ScheduleExpression: `rate(${everyMinutes} minutes)`,
    // Not at once: what is overdue at the start is what the queues still hold.
    StartDate: new Date(nowMs + everyMinutes * 60_000),
    FlexibleTimeWindow: { Mode: "OFF" },
    State: fires ? "ENABLED" : "DISABLED",
    Target: { Arn: functionArn(Name), RoleArn: localSchedulerRoleArn },
  } as const;
  await scheduler.send(new CreateScheduleCommand(schedule)).catch(unless(ConflictException));
  // The schedule of an earlier start is set to this one's.
  await scheduler.send(new UpdateScheduleCommand(schedule));
};
