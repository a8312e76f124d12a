/**
 * The journal in DynamoDB: one item per commit, appended by one conditional Put. No transaction, no update, no index.
 *
 * The SDK retries a Put whose answer was lost, and then meets its own item: the condition fails although the write
 * succeeded. The writer token in the item tells the two cases apart, from the failure itself where the store returns
 * the item, else by one read.
 *
 * Table:  partition key `executionId` (S), sort key `commit` (N); attributes `writer` (S), `events` (S, JSON), `checksum` (S)
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { Effect, Layer, Metric, Schema } from "effect";
import { decodeCommits, encodeCommit, type StoredCommit } from "../CommitCodec.ts";
import { Journal } from "../Journal.ts";
import { JournalConflict, JournalUnavailable } from "../JournalError.ts";
import { ownWritesRecovered } from "../Metrics.ts";
import { DocumentClient } from "./DocumentClient.ts";

const Item = Schema.Struct({
  commit: Schema.Int,
  writer: Schema.String,
  events: Schema.String,
  checksum: Schema.optionalKey(Schema.String),
});
const decodeItems = Schema.decodeUnknownSync(Schema.Array(Item));
const decodeWriter = Schema.decodeUnknownSync(Schema.Struct({ writer: Schema.String }));

/** The journal in the given table. */
export const layerDynamo = (tableName: string): Layer.Layer<Journal, never, DocumentClient> =>
  Layer.effect(
    Journal,
    Effect.map(DocumentClient, (client) => make(client, tableName)),
  );

const make = (client: DynamoDBDocumentClient, tableName: string): Journal["Service"] => {
  const query = async (executionId: string, after: number) => {
    const items: Array<unknown> = [];
    let start: Record<string, unknown> | undefined;
    // A page ends at 1 MB; a long history has several.
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          ConsistentRead: true,
          KeyConditionExpression: "executionId = :id AND #commit > :after",
          ExpressionAttributeNames: { "#commit": "commit" },
          ExpressionAttributeValues: { ":id": executionId, ":after": after },
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start);
    return decodeItems(items);
  };

  const writerOf = async (executionId: string, commit: number) => {
    const read = await client.send(
      new GetCommand({ TableName: tableName, Key: { executionId, commit }, ConsistentRead: true }),
    );
    return decodeWriter(read.Item).writer;
  };

  /** Puts the item; answers with the writer that holds the number afterwards, and whether it was there before. */
  const put = (item: StoredCommit & { readonly executionId: string }) =>
    client
      .send(
        new PutCommand({
          TableName: tableName,
          Item: item,
          ConditionExpression: "attribute_not_exists(executionId)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      )
      .then(
        () => ({ writer: item.writer, met: false }),
        async (error: unknown) => {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
          const writer =
            error.Item?.["writer"]?.S ?? (await writerOf(item.executionId, item.commit));
          return { writer, met: true };
        },
      );

  return Journal.of({
    load: Effect.fnUntraced(function* (executionId, after) {
      const rows = yield* Effect.tryPromise({
        try: () => query(executionId, after),
        catch: (cause) => new JournalUnavailable({ executionId, operation: "load", cause }),
      });
      return yield* decodeCommits(executionId, after, rows);
    }),
    append: Effect.fnUntraced(function* (commit) {
      const { executionId, commit: number, writer } = commit;
      const row = yield* encodeCommit(commit);
      const holder = yield* Effect.tryPromise({
        try: () => put({ executionId, ...row }),
        catch: (cause) => new JournalUnavailable({ executionId, operation: "append", cause }),
      });
      if (holder.writer !== writer)
        return yield* new JournalConflict({ executionId, commit: number });
      // Our own write, whose answer the SDK's first try did not get.
      if (holder.met) yield* Metric.update(ownWritesRecovered, 1);
    }),
  });
};
