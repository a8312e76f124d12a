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
import {
  type ExecutionPage,
  type ExecutionQuery,
  ExecutionRow,
  Executions,
  IndexUnavailable,
} from "../Executions.ts";
import { DocumentClient } from "./DocumentClient.ts";

/** Partitions of the index: 16 carry about 16,000 writes a second. */
const indexShards = 16;

const decodeRow = Schema.decodeUnknownSync(ExecutionRow);
const encodeRow = Schema.encodeSync(ExecutionRow);
const decodeRows = Schema.decodeUnknownSync(Schema.Array(ExecutionRow));

interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** The index in the given table. */
export const layerDynamo = (tableName: string): Layer.Layer<Executions, never, DocumentClient> =>
  Layer.effect(
    Executions,
    Effect.map(DocumentClient, (client) => {
      const table = { client, tableName };
      return Executions.of({
        record: (row) => attempt("record", () => put(table, row)),
        find: (executionId) => attempt("find", () => find(table, executionId)),
        list: (query) => attempt("list", () => list(table, query)),
      });
    }),
  );

const attempt = <A>(operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new IndexUnavailable({ operation, cause }) });

const put = async ({ client, tableName }: Table, row: ExecutionRow): Promise<void> => {
  const item = encodeRow(row);
  const command = new PutCommand({
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
  });
  await client.send(command).catch((error: unknown) => {
    // A newer row is there: this one has nothing to add.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  });
};

const find = async ({ client, tableName }: Table, executionId: string) => {
  const read = await client.send(new GetCommand({ TableName: tableName, Key: { executionId } }));
  return read.Item ? decodeRow(withParsedResult(read.Item)) : undefined;
};

/** Filters are applied page by page: an index per filter would cost a write per execution each. */
const list = async (table: Table, query: ExecutionQuery): Promise<ExecutionPage> => {
  const rows: Array<ExecutionRow> = [];
  let before = query.cursor ?? afterAll;
  for (;;) {
    const page = await newest(table, before, query.rowsMax);
    for (const row of page) {
      before = orderOf(row);
      if (isAskedFor(query, row)) rows.push(row);
      if (rows.length === query.rowsMax) return { rows, cursor: before };
    }
    if (page.length < query.rowsMax) return { rows, cursor: undefined };
  }
};

const isAskedFor = (query: ExecutionQuery, row: ExecutionRow): boolean =>
  (query.workflow === undefined || row.workflow === query.workflow) &&
  (query.status === undefined || row.status === query.status);

const newest = async (
  table: Table,
  before: string,
  rowsMax: number,
): Promise<ReadonlyArray<ExecutionRow>> => {
  const shards = Array.from({ length: indexShards }, (_, shard) => shard);
  const pages = await Promise.all(shards.map((shard) => queryShard(table, shard, before, rowsMax)));
  return pages
    .flat()
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? 1 : -1))
    .slice(0, rowsMax);
};

const queryShard = async (
  { client, tableName }: Table,
  shard: number,
  before: string,
  rowsMax: number,
) => {
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
