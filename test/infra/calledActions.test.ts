/**
 * The rights that functions are given are those that the code calls: read from the adapters' own source.
 */
import { assert, describe, it } from "@effect/vitest";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogActions } from "./rules/datasets.ts";
import { calledActions } from "./rules/roles.ts";

const root = join(import.meta.dirname, "../..");

/** Actions by the command that needs them; nothing for what only people and the sweeper do. */
const actionsOf: Readonly<Record<string, ReadonlyArray<string>>> = {
  // The upload API's, as are all about parts.
  AbortMultipartUploadCommand: [],
  CompleteMultipartUploadCommand: [],
  CreateMultipartUploadCommand: [],
  ListPartsCommand: [],
  UploadPartCommand: [],
  // Only for a pipeline whose outputs are a dataset.
  BatchCreatePartitionCommand: [],
  CreateTableCommand: [],
  GetTableCommand: [],
  UpdateTableCommand: [],
  CopyObjectCommand: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
  CreateScheduleCommand: ["scheduler:CreateSchedule"],
  DeleteCommand: ["dynamodb:DeleteItem"],
  DeleteObjectCommand: ["s3:DeleteObject"],
  DeleteMessageCommand: ["sqs:DeleteMessage"],
  GetCommand: ["dynamodb:GetItem"],
  GetObjectCommand: ["s3:GetObject", "s3:GetObjectVersion"],
  // HEAD has no right of its own.
  HeadObjectCommand: ["s3:GetObject"],
  // Only for a pipeline that names secrets.
  GetSecretValueCommand: [],
  // The reconciler's, and of people.
  ListObjectVersionsCommand: [],
  // Of people, who pause a pipeline.
  ListEventSourceMappingsCommand: [],
  // The sweeper's.
  ListQueueTagsCommand: [],
  PublishCommand: ["sns:Publish"],
  PutCommand: ["dynamodb:PutItem"],
  PutEventsCommand: ["events:PutEvents"],
  PutObjectCommand: ["s3:PutObject"],
  QueryCommand: ["dynamodb:Query"],
  ReceiveMessageCommand: ["sqs:ReceiveMessage"],
  // Only for a pipeline that has tasks.
  RunTaskCommand: [],
  SendMessageCommand: ["sqs:SendMessage"],
  StopTaskCommand: [],
  // Of people again.
  TagQueueCommand: [],
  UntagQueueCommand: [],
  UpdateCommand: ["dynamodb:UpdateItem"],
  UpdateEventSourceMappingCommand: [],
};

/** What the SDK does in a multipart upload. */
const implied = ["s3:AbortMultipartUpload"];

const folders = ["packages/core/src/aws", "packages/functions/src"];

const commandsIn = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(root, file), "utf8").matchAll(/new (?:sdk\.)?(\w+Command)\(/g)].map(
    ([, command = ""]) => command,
  );

const commands = new Set(
  folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => commandsIn(join(folder, file))),
  ),
);

describe("the rights of functions", () => {
  it("are known for every command of the adapters", () => {
    assert.deepStrictEqual(
      [...commands].filter((command) => !(command in actionsOf)).toSorted(),
      [],
    );
  });

  it("are those that the adapters call, and no others", () => {
    const called = [...commands].flatMap((command) => actionsOf[command] ?? []);
    assert.deepStrictEqual(
      [...new Set([...called, ...implied])].toSorted(),
      [...calledActions].toSorted(),
    );
  });

  it("in the data catalog are those that its adapter calls", () => {
    const called = commandsIn("packages/core/src/aws/GlueCatalog.ts").map(
      (command) => `glue:${command.replace(/Command$/, "")}`,
    );
    assert.deepStrictEqual([...new Set(called)].toSorted(), [...catalogActions].toSorted());
  });
});
