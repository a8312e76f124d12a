/**
 * The image catalog in DynamoDB.
 *
 * Table:  partition key `imageId`; index `byStatus` with partition key `status` and sort key `processedAt`
 */
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { DocumentClient } from "@millrace/core/aws";
import { CatalogUnavailable, ImageCatalog, ImageRecord } from "@millrace/workflows/ImageCatalog";
import { Effect, Layer, Schema } from "effect";
import { Environment } from "./Environment.ts";

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
