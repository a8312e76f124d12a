/**
 * The tables of the product, in the terms of DynamoDB's CreateTable: one definition for local mode, tests and stacks.
 *
 * Plain data: reading it loads no client.
 */
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

/** The attribute by which every table that forgets forgets its items: seconds since the Unix epoch. */
export const timeToLiveAttribute = "expiresAt";

export type TableDefinition = Omit<CreateTableCommandInput, "TableName">;

/** One item per commit. No index: a throttled index would push back on the journal. */
export const journalTable: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "executionId", AttributeType: "S" },
    { AttributeName: "commit", AttributeType: "N" },
  ],
  KeySchema: [
    { AttributeName: "executionId", KeyType: "HASH" },
    { AttributeName: "commit", KeyType: "RANGE" },
  ],
};

/** An index of executions whose partitions are given by an attribute, newest last. */
const byStartWithin = (IndexName: string, partition: string) => ({
  IndexName,
  KeySchema: [
    { AttributeName: partition, KeyType: "HASH" as const },
    { AttributeName: "startedOrder", KeyType: "RANGE" as const },
  ],
  Projection: { ProjectionType: "ALL" as const },
});

/**
 * One item per execution. All are in `byStart`; those that run or wait also in `byOpen`, those that failed or are
 * parked in `byFailure`, those about an object in `byObject`.
 */
export const executionsTable: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "executionId", AttributeType: "S" },
    { AttributeName: "shard", AttributeType: "N" },
    { AttributeName: "openShard", AttributeType: "N" },
    { AttributeName: "failureShard", AttributeType: "N" },
    { AttributeName: "object", AttributeType: "S" },
    { AttributeName: "startedOrder", AttributeType: "S" },
  ],
  KeySchema: [{ AttributeName: "executionId", KeyType: "HASH" }],
  GlobalSecondaryIndexes: [
    byStartWithin("byStart", "shard"),
    byStartWithin("byOpen", "openShard"),
    byStartWithin("byFailure", "failureShard"),
    byStartWithin("byObject", "object"),
  ],
};

/** What keeps its own expiry in `timeToLiveAttribute` of its items, under the partition key `key`. */
const expiringByKey: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [{ AttributeName: "key", AttributeType: "S" }],
  KeySchema: [{ AttributeName: "key", KeyType: "HASH" }],
};

/** One item per object key whose order matters, and one per version that came too late. */
export const objectHeadsTable: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "object", AttributeType: "S" },
    { AttributeName: "entry", AttributeType: "S" },
  ],
  KeySchema: [
    { AttributeName: "object", KeyType: "HASH" },
    { AttributeName: "entry", KeyType: "RANGE" },
  ],
};

/** One item per idempotency key. Its time to live is switched on where the table is made. */
export const idempotencyTable: TableDefinition = expiringByKey;

/** One item per rate or concurrency limit that processes share; time to live as above. */
export const limitsTable: TableDefinition = expiringByKey;
