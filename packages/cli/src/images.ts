/**
 * `millrace images`: the records of images, by their status or of one image (requirement D4.6).
 *
 * Records are gone 90 days after their image was processed; what has expired and is not deleted yet is left out.
 */
import { GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DocumentClient } from "@millrace/core/aws";
import { ImageRecord } from "@millrace/workflows/ImageCatalog";
import { Clock, Console, Effect, Option, Schema } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { jsonFlag } from "./jsonFlag.ts";
import { findStage } from "./Stage.ts";
import { renderTable } from "./table.ts";

/** There is no record of the image. */
export class ImageUnknown extends Schema.TaggedError<ImageUnknown>()("ImageUnknown", {
  imageId: Schema.String,
}) {
  override get message(): string {
    return `there is no record of ${this.imageId}: it was not processed yet, or more than 90 days ago; millrace where says where the file is`;
  }
}

/** The table did not answer. */
export class ImagesUnread extends Schema.TaggedError<ImagesUnread>()("ImagesUnread", {
  cause: Schema.Defect(),
}) {
  override get message(): string {
    return `the table of images did not answer: ${String(this.cause)}`;
  }
}

const decodeRecords = Schema.decodeUnknownEffect(Schema.Array(ImageRecord));

const ask = <A>(run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new ImagesUnread({ cause }) });

const findOne = Effect.fnUntraced(function* (TableName: string, imageId: string) {
  const client = yield* DocumentClient;
  const { Item } = yield* ask(() => client.send(new GetCommand({ TableName, Key: { imageId } })));
  return yield* decodeRecords(Item === undefined ? [] : [Item]);
});

/** The newest first, from the index `byStatus`. */
const findAll = Effect.fnUntraced(function* (TableName: string, status: string, rowsMax: number) {
  const client = yield* DocumentClient;
  const query = new QueryCommand({
    TableName,
    IndexName: "byStatus",
    KeyConditionExpression: "#status = :status",
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ":status": status },
    ScanIndexForward: false,
    Limit: rowsMax,
  });
  const { Items = [] } = yield* ask(() => client.send(query));
  return yield* decodeRecords(Items);
});

export const images = Command.make(
  "images",
  {
    image: Argument.String("image").pipe(
      Argument.withDescription("Only this one: its key in the bucket"),
      Argument.optional,
    ),
    status: Flag.Literals("status", ["processed", "failed"]).pipe(
      Flag.withDescription("Of which to list the newest"),
      Flag.withDefault("processed" as const),
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many at most"),
      Flag.filter(
        (rows) => rows > 0 && rows <= 1_000,
        (rows) => `--limit must be 1 to 1000, not ${rows}`,
      ),
      Flag.withDefault(50),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ image, json, limit, status }) {
    const stage = yield* findStage;
    const table = stage.tables.images;
    const now = yield* Clock.currentTimeMillis;
    const found = yield* (
      Option.isSome(image) ? findOne(table, image.value) : findAll(table, status, limit)
    ).pipe(Effect.provide(DocumentClient.layer(stage.clients)));
    const records = found.filter(({ expiresAt }) => expiresAt * 1_000 > now);
    if (Option.isSome(image) && records.length === 0) {
      return yield* new ImageUnknown({ imageId: image.value });
    }
    if (json) return yield* Console.log(JSON.stringify({ images: records }));
    yield* Console.log(records.length === 0 ? `no ${status} images` : renderRecords(records));
  }),
).pipe(
  Command.withDescription(
    "List the records of images by their status, the newest first, or show that of one image. Exit codes: 0 listed; 1 there is no record of the image, or the table did not answer; 2 wrong usage",
  ),
  Command.withShortDescription("List images by their status, or show one image's record"),
  Command.withExamples([
    { command: "millrace images --status failed", description: "The newest that failed, and why" },
    { command: "millrace images images/cat.jpg --json", description: "Where its renditions are" },
  ]),
);

const renderRecords = (records: ReadonlyArray<ImageRecord>): string =>
  renderTable(
    ["IMAGE", "STATUS", "BYTES", "SIZE", "PROCESSED", "RENDITIONS"],
    records.map(({ dimensions, fileSize, imageId, processedAt, reason, sizes, status }) => [
      imageId,
      status,
      String(fileSize),
      dimensions ? `${dimensions.width}x${dimensions.height}` : "",
      processedAt,
      reason ?? sizes.map(({ key }) => key).join(" "),
    ]),
    80,
  );
