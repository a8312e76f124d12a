/**
 * One operation of each AWS client that our code uses, to be asked by the sources and by a bundle of them.
 */
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { ECSClient, RunTaskCommand } from "@aws-sdk/client-ecs";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { GetTableCommand, GlueClient } from "@aws-sdk/client-glue";
import { GetObjectCommand, S3Client, SelectObjectContentCommand } from "@aws-sdk/client-s3";
import { CreateScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

/** What each client is made with. */
export interface AskSettings {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
  readonly requestHandler: {
    readonly handle: () => Promise<{
      readonly response: {
        readonly statusCode: number;
        readonly headers: Record<string, string>;
        readonly body: Uint8Array;
      };
    }>;
  };
}

export type Ask = (settings: AskSettings) => Promise<unknown>;

const queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/queue";
const arn = "arn:aws:sns:eu-west-1:123456789012:topic";
const object = { Bucket: "bucket", Key: "key" };
const schedule = {
  Name: "name",
  ScheduleExpression: "at(2026-12-01T00:00:00)",
  FlexibleTimeWindow: { Mode: "OFF" },
  Target: { Arn: arn, RoleArn: arn },
} as const;

export const asks = {
  dynamodb: (settings) =>
    new DynamoDBClient(settings).send(new GetItemCommand({ TableName: "t", Key: {} })),
  ecs: (settings) => new ECSClient(settings).send(new RunTaskCommand({ taskDefinition: "t" })),
  eventbridge: (settings) =>
    new EventBridgeClient(settings).send(new PutEventsCommand({ Entries: [] })),
  glue: (settings) =>
    new GlueClient(settings).send(new GetTableCommand({ DatabaseName: "d", Name: "t" })),
  s3: (settings) => new S3Client(settings).send(new GetObjectCommand(object)),
  scheduler: (settings) => new SchedulerClient(settings).send(new CreateScheduleCommand(schedule)),
  "secrets-manager": (settings) =>
    new SecretsManagerClient(settings).send(new GetSecretValueCommand({ SecretId: "s" })),
  sns: (settings) =>
    new SNSClient(settings).send(new PublishCommand({ TopicArn: arn, Message: "m" })),
  sqs: (settings) =>
    new SQSClient(settings).send(new SendMessageCommand({ QueueUrl: queue, MessageBody: "m" })),
} satisfies Readonly<Record<string, Ask>>;

/** The one operation of ours to be that answers by a stream of events. */
export const askStream: Ask = (settings) =>
  new S3Client(settings).send(
    new SelectObjectContentCommand({
      ...object,
      Expression: "SELECT 1",
      ExpressionType: "SQL",
      InputSerialization: { CSV: {} },
      OutputSerialization: { CSV: {} },
    }),
  );
