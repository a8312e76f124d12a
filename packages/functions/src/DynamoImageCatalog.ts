/**
 * The image catalog in DynamoDB.
 *
 * Table:  partition key `imageId`; index `byStatus` with partition key `status` and sort key `processedAt`
 */
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { DocumentClient } from "@millrace/core/aws";
import { CatalogUnavailable, ImageCatalog, ImageRecord } from "@millrace/workflows";
import { Effect, Layer, Schema } from "effect";
import { Environment } from "./Environment.ts";

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

/** The attribute by which the table forgets a record (requirement D4.6). */
export const imagesTimeToLive = { AttributeName: "expiresAt", Enabled: true } as const;

const encodeRecord = Schema.encodeSync(ImageRecord);

/** The catalog in the environment's table. */
export const layerDynamoImageCatalog = Layer.effect(
  ImageCatalog,
  Effect.gen(function* () {
    const client = yield* DocumentClient;
    const { imagesTable: TableName } = yield* Environment;
    return ImageCatalog.of({
      put: (record) =>
        Effect.tryPromise({
          try: () => client.send(new PutCommand({ TableName, Item: encodeRecord(record) })),
          catch: (cause) => new CatalogUnavailable({ imageId: record.imageId, cause }),
        }).pipe(Effect.asVoid),
    });
  }),
);
