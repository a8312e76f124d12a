/**
 * The index of executions in DynamoDB.
 *
 * Table:  partition key `executionId`; indexes, all sorted by `startedOrder`:
 *         `byStart` (`shard`), `byOpen` (`openShard`, only while it runs or waits), `byFailure` (`failureShard`, only
 *         failed or parked), `byObject` (`object`, only when it is about one)
 * The indexes are sharded, because one hot partition throttles the table below it, and with it the pipeline; a page is
 * merged from all shards, newest first. Objects are many, so `byObject` needs no shards.
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
  isAskedFor,
  orderOf,
  orderOfInstant,
  statusesOf,
  toCursor,
  upperBound,
} from "../ExecutionQuery.ts";
import {
  ExecutionRow,
  Executions,
  type ExecutionStatus,
  failureStatuses,
  IndexUnavailable,
  openStatuses,
} from "../Executions.ts";
import { DocumentClient } from "./DocumentClient.ts";

/** Partitions of each sharded index: 16 carry about 16,000 writes a second. */
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
        record: (row, instead) => attempt("record", () => put(table, row, instead)),
        find: (executionId) => attempt("find", () => find(table, executionId)),
        list: (query) =>
          Effect.flatMap(upperBound(query), (before) =>
            attempt("list", () => list(table, query, before)),
          ),
      });
    }),
  );

const attempt = <A>(operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new IndexUnavailable({ operation, cause }) });

/** Not a later one (see isLater), or the one that the row is written instead of; a row that has no redrives was not redriven. */
const mayReplace = [
  "attribute_not_exists(executionId)",
  "#commit < :commit",
  // The same commit again: a row of an older form is made anew.
  "(#commit = :commit AND (attribute_not_exists(#redrives) OR #redrives <= :redrives))",
].join(" OR ");

const put = async (
  { client, tableName }: Table,
  row: ExecutionRow,
  instead?: ExecutionRow,
): Promise<void> => {
  const item = encodeRow(row);
  const shard = shardOf(row.executionId);
  const command = new PutCommand({
    TableName: tableName,
    Item: {
      ...item,
      // Kept as text: a result may hold what DynamoDB's own types do not (an empty key, a deep document).
      ...("result" in item && { result: JSON.stringify(item.result) }),
      shard,
      ...(openStatuses.has(row.status) && { openShard: shard }),
      ...(failureStatuses.has(row.status) && { failureShard: shard }),
      startedOrder: orderOf(row),
    },
    ConditionExpression: instead
      ? `${mayReplace} OR (#commit = :insteadCommit AND #redrives = :insteadRedrives)`
      : mayReplace,
    ExpressionAttributeNames: { "#commit": "commit", "#redrives": "redrives" },
    ExpressionAttributeValues: {
      ":commit": row.commit,
      ":redrives": row.redrives ?? 0,
      ...(instead && {
        ":insteadCommit": instead.commit,
        ":insteadRedrives": instead.redrives ?? 0,
      }),
    },
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

/** One partition of one index. */
interface Partition {
  readonly index: string;
  readonly attribute: string;
  readonly value: number | string;
}

/** The partitions with the fewest rows in which everything asked for is. */
const partitionsOf = (query: ExecutionQuery): ReadonlyArray<Partition> => {
  const { object } = query;
  if (object && "exact" in object && object.exact !== "") {
    return [{ index: "byObject", attribute: "object", value: object.exact }];
  }
  const statuses = statusesOf(query);
  const isWithin = (known: ReadonlySet<ExecutionStatus>) =>
    statuses !== undefined && [...statuses].every((status) => known.has(status));
  // Only what failed or is parked has a fingerprint.
  const ofFailures = isWithin(failureStatuses) || query.errorFingerprint !== undefined;
  const [index, attribute] = ofFailures
    ? ["byFailure", "failureShard"]
    : isWithin(openStatuses)
      ? ["byOpen", "openShard"]
      : ["byStart", "shard"];
  return Array.from({ length: indexShards }, (_, value) => ({ index, attribute, value }));
};

/** Rows looked at in one go where a filter may leave few of them: one by one would cost a round of queries per row. */
const rowsFilteredMin = 50;

/** Filters for which there is no index are applied page by page: each index costs a write per execution and change. */
const list = async (
  table: Table,
  query: ExecutionQuery,
  firstBefore: string,
): Promise<ExecutionPage> => {
  const partitions = partitionsOf(query);
  const isWanted = isAskedFor(query);
  const since = orderOfInstant(query.sinceEpochMs ?? 0);
  const { errorFingerprint, object, rowsMax, status, workflow } = query;
  const isFiltered = [errorFingerprint, object, status, workflow].some((it) => it !== undefined);
  const rowsRead = isFiltered ? Math.max(rowsMax, rowsFilteredMin) : rowsMax;
  const rows: Array<ExecutionRow> = [];
  let before = firstBefore;
  for (;;) {
    // DynamoDB refuses a range whose end comes before its beginning.
    if (before < since) return { rows, cursor: undefined };
    const page = await newest(table, partitions, { since, before }, rowsRead);
    for (const row of page.rows) {
      before = orderOf(row);
      if (isWanted(row)) rows.push(row);
      if (rows.length === rowsMax) return { rows, cursor: toCursor(before) };
    }
    if (!page.more) return { rows, cursor: undefined };
  }
};

/** Rows from the order `since` on and before the order `before`. */
interface Range {
  readonly since: string;
  readonly before: string;
}

/** The newest rows of the range, merged from all partitions. */
const newest = async (
  table: Table,
  partitions: ReadonlyArray<Partition>,
  range: Range,
  rowsMax: number,
): Promise<{ readonly rows: ReadonlyArray<ExecutionRow>; readonly more: boolean }> => {
  const pages = await Promise.all(
    partitions.map((partition) => queryPartition(table, partition, range, rowsMax)),
  );
  // A partition that was not read to its end may hold rows just below the last one read of it.
  const knownFrom = pages
    .filter(({ more }) => more)
    .reduce((order, { last }) => (last > order ? last : order), "");
  const rows = pages
    .flatMap((page) => page.rows)
    .filter((row) => orderOf(row) >= knownFrom)
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? 1 : -1));
  return {
    rows: rows.slice(0, rowsMax),
    more: rows.length > rowsMax || pages.some(({ more }) => more),
  };
};

const queryPartition = async (
  { client, tableName }: Table,
  { attribute, index, value }: Partition,
  { before, since }: Range,
  rowsMax: number,
) => {
  const page = await client.send(
    new QueryCommand({
      TableName: tableName,
      IndexName: index,
      // Both ends are included, and the row at the upper one was on the page before.
      KeyConditionExpression: "#partition = :value AND startedOrder BETWEEN :since AND :before",
      ExpressionAttributeNames: { "#partition": attribute },
      ExpressionAttributeValues: { ":value": value, ":since": since, ":before": before },
      ScanIndexForward: false,
      Limit: rowsMax + 1,
    }),
  );
  const rows = decodeRows((page.Items ?? []).map(withParsedResult));
  const last = rows.at(-1);
  return {
    rows: rows.filter((row) => orderOf(row) !== before),
    // A page also ends at 1 MB.
    more: page.LastEvaluatedKey !== undefined && last !== undefined,
    last: last ? orderOf(last) : "",
  };
};

const shardOf = (executionId: string): number => {
  const number = Number.parseInt(executionId.slice(0, 4), 16);
  return Number.isNaN(number) ? 0 : number % indexShards;
};

const withParsedResult = (item: Record<string, unknown>): Record<string, unknown> => {
  const { result } = item;
  return typeof result === "string" ? { ...item, result: JSON.parse(result) } : item;
};
