/**
 * Goal: a command works on the stage that it is told, by the names in that stage's directory, and on no other.
 * Method: beside local mode's own stage a second one lies in the same embedded AWS, with other names; the command finds it
 * as it finds a deployed one, by nothing but `--stage` and the environment of AWS's clients.
 */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { assert, describe, it } from "@effect/vitest";
import { executionsTable, journalTable } from "@millrace/core/aws/tables";
import {
  type PipelineDocument,
  pipelineParameter,
  type StageDocument,
  stageParameter,
} from "@millrace/functions/StageDirectory";
import { type AwsConnection, clientConfig, connectionVariables } from "@millrace/local";
import { Effect, Schema } from "effect";
import { decodeConnectionLine, dev, inFolder, millraceWith, write } from "./cliProcess.ts";

const patience = { timeout: 120_000 };
const stage = "green";
const arnOf = (service: string, rest: string) =>
  `arn:aws:${service}:us-east-1:000000000000:${rest}`;

const stageDocument: StageDocument = {
  buckets: {
    raw: "green-raw",
    clean: "green-clean",
    errors: "green-errors",
    values: "green-values",
  },
  tables: {
    journal: "GreenJournal",
    executions: "GreenExecutions",
    images: "GreenImages",
    objectHeads: "GreenObjectHeads",
    idempotency: "GreenIdempotency",
    limits: "GreenLimits",
  },
  objectsArchiveArn: arnOf("events", "archive/green"),
  eventBusArn: arnOf("events", "event-bus/default"),
  pausedBy: "mapping",
};

const queuesIn = ({ endpoint }: AwsConnection): PipelineDocument => {
  const at = (name: string) => ({
    url: `${endpoint}/000000000000/${name}`,
    arn: arnOf("sqs", name),
  });
  return {
    queue: at("green-csv"),
    deadLetters: at("green-csv-dead"),
    undelivered: at("green-csv-undelivered"),
  };
};

/** Makes the second stage: what the commands below use of it. */
const makeStage = async (connection: AwsConnection): Promise<void> => {
  const config = clientConfig(connection);
  const dynamo = new DynamoDBClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  const ssm = new SSMClient(config);
  const { tables } = stageDocument;
  await dynamo.send(new CreateTableCommand({ ...journalTable, TableName: tables.journal }));
  await dynamo.send(new CreateTableCommand({ ...executionsTable, TableName: tables.executions }));
  const { raw: Bucket } = stageDocument.buckets;
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
  const queues = queuesIn(connection);
  for (const { url } of Object.values(queues)) {
    await sqs.send(new CreateQueueCommand({ QueueName: url.split("/").at(-1) }));
  }
  await sqs.send(
    new SendMessageCommand({ QueueUrl: queues.deadLetters.url, MessageBody: "nobody's" }),
  );
  const documents: ReadonlyArray<readonly [string, object]> = [
    [stageParameter(stage), stageDocument],
    [pipelineParameter(stage, "csv-to-parquet"), queues],
  ];
  for (const [Name, document] of documents) {
    await ssm.send(
      new PutParameterCommand({ Name, Type: "String", Value: JSON.stringify(document) }),
    );
  }
};

const Uploaded = Schema.fromJsonString(Schema.Struct({ bucket: Schema.String }));

describe("a command with --stage", () => {
  it.live(
    "works on the names in that stage's directory, and says what is not there",
    () =>
      inFolder(
        Effect.fnUntraced(function* (folder: string) {
          const { first } = yield* dev(folder, "--json", "--no-workers");
          const connection = yield* decodeConnectionLine(first);
          yield* Effect.promise(() => makeStage(connection));
          // No local mode is found from here: only what AWS's own clients read.
          const run = (...words: ReadonlyArray<string>) =>
            millraceWith({ ...connectionVariables(connection) }, folder, ...words);
          yield* write(folder, "orders.csv", "id\n1\n");

          const uploaded = yield* run("upload", "orders.csv", "--stage", stage, "--json");
          assert.strictEqual(
            (yield* Schema.decodeEffect(Uploaded)(uploaded.out)).bucket,
            "green-raw",
            uploaded.err,
          );
          const where = yield* run("where", "orders.csv", "--stage", stage);
          assert.include(where.out, "green-raw/incoming/orders.csv", where.err);
          assert.include(where.out, "uploaded, without an execution");
          // The stage of local mode has no such file.
          assert.strictEqual((yield* run("where", "orders.csv")).code, 1);
          const letters = yield* run("dlq", "ls", "csv-to-parquet", "--stage", stage, "--json");
          assert.include(letters.out, '"total":1', letters.err);
          const listed = yield* run("ls", "--stage", stage, "--json");
          assert.strictEqual(listed.out.trim(), '{"rows":[]}', listed.err);

          // A deployed stage is paused at Lambda, which the embedded AWS has not: it was asked for.
          const paused = yield* run("pause", "csv-to-parquet", "--stage", stage);
          assert.deepStrictEqual(paused.code, 1);
          assert.match(paused.err, /pause of queue csv-to-parquet .*event-source-mappings/u);

          const undeployed = yield* run("dlq", "ls", "image-renditions", "--stage", stage);
          assert.deepStrictEqual(undeployed.code, 1);
          assert.include(undeployed.err, 'stage "green" has no pipeline image-renditions');
          const unknown = yield* run("ls", "--stage", "blue");
          assert.deepStrictEqual(unknown.code, 1);
          assert.include(unknown.err, 'no stage "blue" is deployed there');
          assert.include(unknown.err, "/millrace/blue/stage");
        }),
      ),
    patience,
  );
});
