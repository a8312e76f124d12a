/**
 * The index of executions in DynamoDB.
 *
 * Table:  partition key `executionId`; index `byStart` with partition key `shard` and sort key `startedOrder`.
 * The index is sharded, because one hot partition throttles the table below it, and with it the pipeline; a page is
 * merged from all shards, newest first.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { Effect, Layer, Schema } from "effect";
import { ExecutionRow, Executions, IndexUnavailable } from "../Executions.ts";
import { DocumentClient } from "./DocumentClient.ts";

/** Partitions of the index: 16 carry about 16,000 writes a second. */
export const indexShards = 16;

const decodeRow = Schema.decodeUnknownSync(ExecutionRow);
const encodeRow = Schema.encodeSync(ExecutionRow);
const decodeRows = Schema.decodeUnknownSync(Schema.Array(ExecutionRow));

/** The index in the given table. */
export const layerDynamo = (tableName: string): Layer.Layer<Executions, never, DocumentClient> =>
  Layer.effect(
    Executions,
    Effect.map(DocumentClient, (client) => make(client, tableName)),
  );

const make = (client: DynamoDBDocumentClient, tableName: string): Executions["Service"] => {
  const attempt = <A>(operation: string, run: () => Promise<A>) =>
    Effect.tryPromise({
      try: run,
      catch: (cause) => new IndexUnavailable({ operation, cause }),
    });

  const put = async (row: ExecutionRow): Promise<void> => {
    const item = encodeRow(row);
    await client
      .send(
        new PutCommand({
          TableName: tableName,
          Item: {
            ...item,
            // Kept as text: a result may hold what DynamoDB's own types do not (an empty key, a deep document).
            ...("result" in item && { result: JSON.stringify(item.result) }),
            shard: shardOf(row.executionId),
            startedOrder: orderOf(row),
          },
          ConditionExpression: "attribute_not_exists(executionId) OR #commit < :commit",
          ExpressionAttributeNames: { "#commit": "commit" },
          ExpressionAttributeValues: { ":commit": row.commit },
        }),
      )
      .catch((error: unknown) => {
        // A newer row is there: this one has nothing to add.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      });
  };

  const queryShard = async (shard: number, before: string, rowsMax: number) => {
    const page = await client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: "byStart",
        KeyConditionExpression: "#shard = :shard AND startedOrder < :before",
        // A reserved word of DynamoDB's expressions.
        ExpressionAttributeNames: { "#shard": "shard" },
        ExpressionAttributeValues: { ":shard": shard, ":before": before },
        ScanIndexForward: false,
        Limit: rowsMax,
      }),
    );
    return decodeRows((page.Items ?? []).map(withParsedResult));
  };

  const newest = async (before: string, rowsMax: number): Promise<ReadonlyArray<ExecutionRow>> => {
    const shards = Array.from({ length: indexShards }, (_, shard) => shard);
    const pages = await Promise.all(shards.map((shard) => queryShard(shard, before, rowsMax)));
    return pages
      .flat()
      .toSorted((a, b) => (orderOf(a) < orderOf(b) ? 1 : -1))
      .slice(0, rowsMax);
  };

  return Executions.of({
    record: (row) => attempt("record", () => put(row)),
    find: (executionId) =>
      attempt("find", async () => {
        const read = await client.send(
          new GetCommand({ TableName: tableName, Key: { executionId } }),
        );
        return read.Item ? decodeRow(withParsedResult(read.Item)) : undefined;
      }),
    list: (query) =>
      attempt("list", async () => {
        const rows: Array<ExecutionRow> = [];
        let before: string | undefined = query.cursor ?? afterAll;
        // Filters are applied page by page: an index per filter would cost a write per execution each.
        while (before !== undefined && rows.length < query.rowsMax) {
          const page: ReadonlyArray<ExecutionRow> = await newest(before, query.rowsMax);
          for (const row of page) {
            if (rows.length === query.rowsMax) break;
            before = orderOf(row);
            if (query.workflow !== undefined && row.workflow !== query.workflow) continue;
            if (query.status !== undefined && row.status !== query.status) continue;
            rows.push(row);
          }
          if (page.length < query.rowsMax && rows.length < query.rowsMax) before = undefined;
        }
        return { rows, cursor: before };
      }),
  });
};

/** Sorts after every order of a row. */
const afterAll = "~";

/** Text that orders rows by their start, and apart where two began in the same millisecond. */
const orderOf = (row: ExecutionRow): string =>
  `${String(row.startedEpochMs).padStart(15, "0")}/${row.executionId}`;

const shardOf = (executionId: string): number =>
  Number.parseInt(executionId.slice(0, 4), 16) % indexShards;

const withParsedResult = (item: Record<string, unknown>): Record<string, unknown> => {
  const { result } = item;
  return typeof result === "string" ? { ...item, result: JSON.parse(result) } : item;
};
