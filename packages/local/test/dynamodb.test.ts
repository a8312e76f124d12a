/**
 * Goal: the embedded DynamoDB through the unmodified document client: what the journal leans on, what was added to
 * dynalite, and that everything else is refused by name. Method: one table, claims about single operations.
 */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  DynamoDBServiceException,
  ListTagsOfResourceCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it, layer } from "@effect/vitest";
import { Context, Effect, FileSystem, Layer } from "effect";
import { unknownOperation } from "../src/AwsError.ts";
import { makeDynamoDb } from "../src/dynamodb/DynamoDb.ts";
import { makeRouter } from "../src/http/router.ts";
import { serve } from "../src/http/server.ts";
import { LocalState } from "../src/LocalState.ts";

const none = () => Effect.fail(unknownOperation("none", "any"));

const startDynamoDb = Effect.gen(function* () {
  const dynamodb = yield* makeDynamoDb;
  const { endpoint } = yield* serve({
    port: 0,
    handler: makeRouter({ json: {}, sns: none, s3: none, scheduler: none, dynamodb }),
  });
  const client = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new DynamoDBClient({
          endpoint,
          region: "us-east-1",
          credentials: { accessKeyId: "a", secretAccessKey: "b" },
          maxAttempts: 1,
        }),
    ),
    (client) => Effect.sync(() => client.destroy()),
  );
  return { client, documents: DynamoDBDocumentClient.from(client) };
});

class Db extends Context.Service<
  Db,
  { readonly client: DynamoDBClient; readonly documents: DynamoDBDocumentClient }
>()("@millrace/local/test/Db") {}

const layerDb = Layer.effect(Db, startDynamoDb).pipe(
  Layer.provide(LocalState.layerTemporary),
  Layer.provide(NodeServices.layer),
);

const call = <A>(run: () => Promise<A>) => Effect.promise(run);

const refusal = (promise: Promise<unknown>) =>
  call(() =>
    promise.then(
      () => assert.fail("the command succeeded"),
      (error: unknown) =>
        error instanceof DynamoDBServiceException ? error : assert.fail(String(error)),
    ),
  );

const tableInput = (TableName: string): CreateTableCommandInput => ({
  TableName,
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "executionId", AttributeType: "S" },
    { AttributeName: "commit", AttributeType: "N" },
  ],
  KeySchema: [
    { AttributeName: "executionId", KeyType: "HASH" },
    { AttributeName: "commit", KeyType: "RANGE" },
  ],
});

const freshTable = Effect.gen(function* () {
  const { client, documents } = yield* Db;
  const TableName = `Table${++tables}`;
  yield* call(() => client.send(new CreateTableCommand(tableInput(TableName))));
  return { client, documents, TableName };
});
let tables = 0;

layer(layerDb)("dynamodb", (it) => {
  it.effect("a conditional put takes a position once", () =>
    Effect.gen(function* () {
      const { documents, TableName } = yield* freshTable;
      const put = (writer: string) =>
        documents.send(
          new PutCommand({
            TableName,
            Item: { executionId: "e", commit: 1, writer },
            ConditionExpression: "attribute_not_exists(executionId)",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
      yield* call(() => put("first"));
      const error = yield* refusal(put("second"));
      assert.strictEqual(error.name, "ConditionalCheckFailedException");
      assert.deepStrictEqual("Item" in error ? error.Item : undefined, {
        executionId: { S: "e" },
        commit: { N: "1" },
        writer: { S: "first" },
      });
    }),
  );

  it.effect(
    "a failed condition shows the item on update and delete, and nothing when there is none",
    () =>
      Effect.gen(function* () {
        const { documents, TableName } = yield* freshTable;
        const Key = { executionId: "e", commit: 1 };
        const condition = {
          TableName,
          Key,
          ConditionExpression: "attribute_exists(executionId) AND writer = :w",
          ExpressionAttributeValues: { ":w": "me" },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
        };
        const missing = yield* refusal(documents.send(new DeleteCommand(condition)));
        assert.isUndefined("Item" in missing ? missing.Item : undefined);
        yield* call(() =>
          documents.send(new PutCommand({ TableName, Item: { ...Key, writer: "you" } })),
        );
        const update = yield* refusal(
          documents.send(
            new UpdateCommand({
              ...condition,
              UpdateExpression: "SET touched = :t",
              ExpressionAttributeValues: { ":w": "me", ":t": true },
            }),
          ),
        );
        assert.isObject("Item" in update ? update.Item : undefined);
      }),
  );

  it.effect("of twenty writers of one position exactly one wins and the others see its item", () =>
    Effect.gen(function* () {
      const { documents, TableName } = yield* freshTable;
      const outcomes = yield* call(() =>
        Promise.all(
          Array.from({ length: 20 }, (_, writer) =>
            documents
              .send(
                new PutCommand({
                  TableName,
                  Item: { executionId: "e", commit: 1, writer },
                  ConditionExpression: "attribute_not_exists(executionId)",
                  ReturnValuesOnConditionCheckFailure: "ALL_OLD",
                }),
              )
              .then(
                () => writer,
                (error: unknown) => error,
              ),
          ),
        ),
      );
      const winners = outcomes.filter((outcome) => typeof outcome === "number");
      assert.strictEqual(winners.length, 1);
      for (const outcome of outcomes) {
        if (!(outcome instanceof DynamoDBServiceException)) continue;
        assert.deepStrictEqual("Item" in outcome ? outcome.Item : undefined, {
          executionId: { S: "e" },
          commit: { N: "1" },
          writer: { N: String(winners[0]) },
        });
      }
    }),
  );

  it.effect("a query reads a partition in the order of its numbers", () =>
    Effect.gen(function* () {
      const { documents, TableName } = yield* freshTable;
      for (const commit of [10, 9, 2, 1, 100]) {
        yield* call(() =>
          documents.send(new PutCommand({ TableName, Item: { executionId: "e", commit } })),
        );
      }
      const page = yield* call(() =>
        documents.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: "executionId = :e AND #c > :after",
            ExpressionAttributeNames: { "#c": "commit" },
            ExpressionAttributeValues: { ":e": "e", ":after": 1 },
            ConsistentRead: true,
          }),
        ),
      );
      assert.deepStrictEqual(
        page.Items?.map((item) => item["commit"]),
        [2, 9, 10, 100],
      );
    }),
  );

  it.effect("time to live is a setting that is kept, described and checked", () =>
    Effect.gen(function* () {
      const { client, TableName } = yield* freshTable;
      const describe = () => client.send(new DescribeTimeToLiveCommand({ TableName }));
      const set = (Enabled: boolean) =>
        client.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled },
          }),
        );
      const before = yield* call(describe);
      assert.strictEqual(before.TimeToLiveDescription?.TimeToLiveStatus, "DISABLED");
      yield* call(() => set(true));
      const after = yield* call(describe);
      assert.deepStrictEqual(after.TimeToLiveDescription, {
        TimeToLiveStatus: "ENABLED",
        AttributeName: "expiresAt",
      });
      assert.strictEqual((yield* refusal(set(true))).name, "ValidationException");
      yield* call(() => client.send(new DeleteTableCommand({ TableName })));
      assert.strictEqual((yield* refusal(set(true))).name, "ResourceNotFoundException");
    }),
  );

  it.effect("tags given at creation are there", () =>
    Effect.gen(function* () {
      const { client } = yield* Db;
      const created = yield* call(() =>
        client.send(
          new CreateTableCommand({ ...tableInput("Tagged"), Tags: [{ Key: "a", Value: "1" }] }),
        ),
      );
      const tags = yield* call(() =>
        client.send(
          new ListTagsOfResourceCommand({ ResourceArn: created.TableDescription?.TableArn }),
        ),
      );
      assert.deepStrictEqual(tags.Tags, [{ Key: "a", Value: "1" }]);
    }),
  );

  describe("what is not here is refused by name", () => {
    const rows: ReadonlyArray<
      readonly [string, (db: Db["Service"], TableName: string) => Promise<unknown>]
    > = [
      [
        "TransactWriteItems",
        ({ documents }, TableName) =>
          documents.send(
            new TransactWriteCommand({
              TransactItems: [{ Put: { TableName, Item: { executionId: "e", commit: 1 } } }],
            }),
          ),
      ],
      [
        "StreamSpecification",
        ({ client }, TableName) =>
          client.send(
            new CreateTableCommand({
              ...tableInput(`${TableName}Streamed`),
              StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
            }),
          ),
      ],
      [
        "GlobalSecondaryIndexUpdates[0].Delete",
        ({ client }, TableName) =>
          client.send(
            new UpdateTableCommand({
              TableName,
              GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "none" } }],
            }),
          ),
      ],
      [
        "ReturnItemCollectionMetrics",
        ({ documents }, TableName) =>
          documents.send(
            new PutCommand({
              TableName,
              Item: { executionId: "e", commit: 1 },
              ReturnItemCollectionMetrics: "SIZE",
            }),
          ),
      ],
    ];
    for (const [name, send] of rows) {
      it.effect(name, () =>
        Effect.gen(function* () {
          const { TableName } = yield* freshTable;
          const error = yield* refusal(send(yield* Db, TableName));
          assert.deepStrictEqual(
            [error.name, error.$metadata.httpStatusCode],
            ["NotImplemented", 501],
          );
          assert.include(error.message, name);
        }),
      );
    }
  });
});

it.live("tables and items survive a restart on the same directory", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem;
    const directory = yield* fs.makeTempDirectoryScoped();
    const run = <A, E>(use: (db: Db["Service"]) => Effect.Effect<A, E>) =>
      Effect.scoped(Effect.flatMap(startDynamoDb, use)).pipe(
        Effect.provide(LocalState.layerDirectory(directory)),
      );
    yield* run(({ client, documents }) =>
      Effect.gen(function* () {
        yield* call(() => client.send(new CreateTableCommand(tableInput("Kept"))));
        yield* call(() =>
          documents.send(
            new PutCommand({ TableName: "Kept", Item: { executionId: "e", commit: 1, v: "x" } }),
          ),
        );
      }),
    );
    const got = yield* run(({ documents }) =>
      call(() =>
        documents.send(new GetCommand({ TableName: "Kept", Key: { executionId: "e", commit: 1 } })),
      ),
    );
    assert.strictEqual(got.Item?.["v"], "x");
  }).pipe(Effect.provide(NodeServices.layer)),
);
