/**
 * The heads of object keys in DynamoDB.
 *
 * A table of their own, and not the idempotency table: those records expire, while a head is asked for as long as old
 * events can come back (an archive may keep them for ever), and people list what was superseded under a key.
 *
 * Table:  partition key `object` (`bucket/key`), sort key `entry`: `head`, or `superseded/` and the version
 * Cost:   one strongly consistent read per event; one conditional write more for a version that is new. A replay of old
 *         events is reads only.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { Effect, Layer, Schema } from "effect";
import { type ObjectCreated, objectIdentity, objectName } from "../ObjectEvent.ts";
import {
  type ObjectHead,
  ObjectHeads,
  ObjectHeadsUnavailable,
  sequencerOrder,
} from "../ObjectHeads.ts";
import { DocumentClient } from "./DocumentClient.ts";

const HeadItem = Schema.Struct({ sequencerOrder: Schema.String, name: Schema.String });
const decodeHead = Schema.decodeUnknownSync(Schema.UndefinedOr(HeadItem));

interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** Heads in the given table. */
export const layerDynamo = (tableName: string): Layer.Layer<ObjectHeads, never, DocumentClient> =>
  Layer.effect(
    ObjectHeads,
    Effect.map(DocumentClient, (client) => {
      const table = { client, tableName };
      return ObjectHeads.of({
        raise: (object) => attempt(object, "raise", () => raise(table, object)),
        supersede: (object, by) => attempt(object, "supersede", () => supersede(table, object, by)),
      });
    }),
  );

const attempt = <A>(object: ObjectCreated, operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new ObjectHeadsUnavailable({ object: objectName(object), operation, cause }),
  });

const keyOf = ({ bucket, key }: ObjectCreated): string => `${bucket}/${key}`;

const find = async ({ client, tableName }: Table, object: string, entry: string) => {
  const { Item } = await client.send(
    new GetCommand({ TableName: tableName, Key: { object, entry }, ConsistentRead: true }),
  );
  return Item;
};

/** Turns a failed condition into a value: it is an answer, not an error. */
const unlessRefused = (error: unknown): "refused" => {
  if (error instanceof ConditionalCheckFailedException) return "refused";
  throw error;
};

const raise = async (table: Table, object: ObjectCreated): Promise<ObjectHead> => {
  const mine = { order: sequencerOrder(object.sequencer), name: objectName(object) };
  // A refused write means that another version raised the head meanwhile: it has only risen, so this ends.
  for (;;) {
    const head = decodeHead(await find(table, keyOf(object), "head"));
    if (head && head.sequencerOrder >= mine.order) {
      return { order: head.sequencerOrder, name: head.name };
    }
    const answer = await table.client
      .send(
        new PutCommand({
          TableName: table.tableName,
          Item: {
            object: keyOf(object),
            entry: "head",
            sequencerOrder: mine.order,
            name: mine.name,
            eventEpochMs: object.eventEpochMs,
          },
          ConditionExpression: "attribute_not_exists(#object) OR sequencerOrder < :mine",
          ExpressionAttributeNames: { "#object": "object" },
          ExpressionAttributeValues: { ":mine": mine.order },
        }),
      )
      .catch(unlessRefused);
    if (answer !== "refused") return mine;
  }
};

const supersede = async (table: Table, object: ObjectCreated, by: ObjectHead): Promise<void> => {
  const entry = `superseded/${objectIdentity(object).slice(keyOf(object).length + 1)}`;
  // Read first: a replay of old events must not cost writes.
  if (await find(table, keyOf(object), entry)) return;
  await table.client.send(
    new PutCommand({
      TableName: table.tableName,
      Item: {
        object: keyOf(object),
        entry,
        sequencerOrder: sequencerOrder(object.sequencer),
        name: objectName(object),
        by: by.name,
        eventEpochMs: object.eventEpochMs,
      },
    }),
  );
};
