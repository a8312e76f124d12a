/**
 * The idempotency store in DynamoDB: one item per key, each change one conditional write.
 *
 * Table:  partition key `key` (S); `expiresAt` (N, seconds) is the table's time to live
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { Effect, Layer, Schema } from "effect";
import {
  type Claim,
  type ClaimRequest,
  IdempotencyStore,
  IdempotencyStoreUnavailable,
} from "../IdempotencyStore.ts";
import { DocumentClient } from "./DocumentClient.ts";

const Item = Schema.Struct({
  owner: Schema.String,
  payloadHash: Schema.String,
  leaseUntilEpochMs: Schema.Finite,
  result: Schema.optionalKey(Schema.String),
});
const decodeItem = Schema.decodeUnknownSync(Schema.UndefinedOr(Item));

interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** The store in the given table. */
export const layerDynamo = (
  tableName: string,
): Layer.Layer<IdempotencyStore, never, DocumentClient> =>
  Layer.effect(
    IdempotencyStore,
    Effect.map(DocumentClient, (client) => {
      const table = { client, tableName };
      return IdempotencyStore.of({
        claim: (request) => attempt(request.key, "claim", () => claim(table, request)),
        complete: (key, owner, result) =>
          attempt(key, "complete", () => complete(table, key, owner, result)),
        release: (key, owner) => attempt(key, "release", () => release(table, key, owner)),
      });
    }),
  );

const attempt = <A>(key: string, operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new IdempotencyStoreUnavailable({ key, operation, cause }),
  });

/** Turns a failed condition into a value: it is an answer, not an error. */
const unlessRefused = (error: unknown): "refused" => {
  if (error instanceof ConditionalCheckFailedException) return "refused";
  throw error;
};

const claim = async ({ client, tableName }: Table, request: ClaimRequest): Promise<Claim> => {
  const { expiresEpochMs, key, leaseUntilEpochMs, nowEpochMs, owner, payloadHash } = request;
  const answer = await client
    .send(
      new PutCommand({
        TableName: tableName,
        Item: {
          key,
          owner,
          payloadHash,
          leaseUntilEpochMs,
          expiresEpochMs,
          expiresAt: Math.ceil(expiresEpochMs / 1_000),
        },
        ConditionExpression:
          "attribute_not_exists(#key) OR expiresEpochMs < :now OR (attribute_not_exists(#result) AND leaseUntilEpochMs < :now)",
        ExpressionAttributeNames: { "#key": "key", "#result": "result" },
        ExpressionAttributeValues: { ":now": nowEpochMs },
      }),
    )
    .catch(unlessRefused);
  if (answer !== "refused") return { _tag: "Claimed" };
  const { Item: stored } = await client.send(
    new GetCommand({ TableName: tableName, Key: { key }, ConsistentRead: true }),
  );
  const item = decodeItem(stored);
  // Given up in between: whoever asks again will get it.
  if (!item) return { _tag: "InProgress", payloadHash, leaseUntilEpochMs: nowEpochMs };
  if (item.result !== undefined) {
    return { _tag: "Completed", payloadHash: item.payloadHash, result: item.result };
  }
  // Our own record: an earlier try was stored, and its answer lost.
  if (item.owner === owner) return { _tag: "Claimed" };
  return {
    _tag: "InProgress",
    payloadHash: item.payloadHash,
    leaseUntilEpochMs: item.leaseUntilEpochMs,
  };
};

const complete = async (
  { client, tableName }: Table,
  key: string,
  owner: string,
  result: string,
): Promise<boolean> => {
  const answer = await client
    .send(
      new UpdateCommand({
        TableName: tableName,
        Key: { key },
        UpdateExpression: "SET #result = :result",
        ConditionExpression: "#owner = :owner",
        ExpressionAttributeNames: { "#result": "result", "#owner": "owner" },
        ExpressionAttributeValues: { ":result": result, ":owner": owner },
      }),
    )
    .catch(unlessRefused);
  return answer !== "refused";
};

const release = async ({ client, tableName }: Table, key: string, owner: string): Promise<void> => {
  await client
    .send(
      new DeleteCommand({
        TableName: tableName,
        Key: { key },
        ConditionExpression: "#owner = :owner AND attribute_not_exists(#result)",
        ExpressionAttributeNames: { "#result": "result", "#owner": "owner" },
        ExpressionAttributeValues: { ":owner": owner },
      }),
    )
    .catch(unlessRefused);
};
