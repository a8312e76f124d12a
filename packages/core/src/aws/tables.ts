/**
 * The tables of the product, in the terms of DynamoDB's CreateTable: one definition for local mode, tests and stacks.
 */
import { type CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

type TableDefinition = Omit<CreateTableCommandInput, "TableName">;

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

/** One item per execution, and the sharded index by start. */
export const executionsTable: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "executionId", AttributeType: "S" },
    { AttributeName: "shard", AttributeType: "N" },
    { AttributeName: "startedOrder", AttributeType: "S" },
  ],
  KeySchema: [{ AttributeName: "executionId", KeyType: "HASH" }],
  GlobalSecondaryIndexes: [
    {
      IndexName: "byStart",
      KeySchema: [
        { AttributeName: "shard", KeyType: "HASH" },
        { AttributeName: "startedOrder", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "ALL" },
    },
  ],
};

/** One item per idempotency key. */
export const idempotencyTable: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [{ AttributeName: "key", AttributeType: "S" }],
  KeySchema: [{ AttributeName: "key", KeyType: "HASH" }],
};
