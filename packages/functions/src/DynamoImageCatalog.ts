/**
 * The image catalog in DynamoDB.
 *
 * Table:  partition key `imageId`; index `byStatus` with partition key `status` and sort key `processedAt`
 */
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

/** The table's definition, in the terms of CreateTable. */
export const imagesTable: Omit<CreateTableCommandInput, "TableName"> = {
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
