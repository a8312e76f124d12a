/**
 * The tables of a stage: what a function knows each by, its definition, and whether it forgets. Local mode and the
 * stacks make what is in this list, and nothing else.
 *
 * Plain data: reading it loads no AWS client.
 */
import {
  executionsTable,
  idempotencyTable,
  journalTable,
  limitsTable,
  objectHeadsTable,
  type TableDefinition,
  timeToLiveAttribute,
} from "@millrace/core/aws/tables";
import { variables } from "./Environment.ts";

export interface StageTable {
  /** What it holds. */
  readonly name: "journal" | "executions" | "images" | "objectHeads" | "idempotency" | "limits";
  /** The environment variable that tells a function its name. */
  readonly variable: string;
  readonly definition: TableDefinition;
  /** The attribute by which items are forgotten, in a table that forgets. */
  readonly timeToLive?: string;
}

/** One item per image; `byStatus` for those who look for the processed, or the failed. */
const imagesTable: TableDefinition = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "imageId", AttributeType: "S" },
    { AttributeName: "status", AttributeType: "S" },
    { AttributeName: "processedAt", AttributeType: "S" },
  ],
  KeySchema: [{ AttributeName: "imageId", KeyType: "HASH" }],
  GlobalSecondaryIndexes: [
    {
      IndexName: "byStatus",
      KeySchema: [
        { AttributeName: "status", KeyType: "HASH" },
        { AttributeName: "processedAt", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "ALL" },
    },
  ],
};

/** All tables. */
export const tables: ReadonlyArray<StageTable> = [
  { name: "journal", variable: variables.journalTable, definition: journalTable },
  { name: "executions", variable: variables.executionsTable, definition: executionsTable },
  {
    name: "images",
    variable: variables.imagesTable,
    definition: imagesTable,
    timeToLive: timeToLiveAttribute,
  },
  { name: "objectHeads", variable: variables.objectHeadsTable, definition: objectHeadsTable },
  {
    name: "idempotency",
    variable: variables.idempotencyTable,
    definition: idempotencyTable,
    timeToLive: timeToLiveAttribute,
  },
  {
    name: "limits",
    variable: variables.limitsTable,
    definition: limitsTable,
    timeToLive: timeToLiveAttribute,
  },
];
