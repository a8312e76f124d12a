/**
 * The idempotency store in DynamoDB: one item per key, each change one conditional write.
 *
 * The SDK repeats a write whose answer was lost, and then meets its own item: the owner in it, read consistently, tells
 * the two cases apart.
 *
 * Table:  partition key `key` (S); attributes `owner` (S), `payloadHash` (S), `expiresEpochMs` (N), `result` (S, when
 *         done); `expiresAt` (N, seconds) is the table's time to live, which only tidies up
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
  type Completion,
  IdempotencyStore,
  IdempotencyStoreUnavailable,
} from "../IdempotencyStore.ts";
import { awsFailure } from "./awsFailure.ts";
import { DocumentClient } from "./DocumentClient.ts";

const Item = Schema.Struct({
  owner: Schema.String,
  payloadHash: Schema.String,
  expiresEpochMs: Schema.Finite,
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
        extend: (key, owner, until) =>
          attempt(key, "extend", () => extend(table, key, owner, until)),
        complete: (completion) =>
          attempt(completion.key, "complete", () => complete(table, completion)),
        release: (key, owner) => attempt(key, "release", () => release(table, key, owner)),
      });
    }),
  );

const attempt = <A>(key: string, operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new IdempotencyStoreUnavailable({ key, operation, ...awsFailure(cause) }),
  });

/** Turns a failed condition into a value: it is an answer, not an error. */
const unlessRefused = (error: unknown): "refused" => {
  if (error instanceof ConditionalCheckFailedException) return "refused";
  throw error;
};

/** Both forms of one instant: what is compared, and what DynamoDB deletes by. */
const expiry = (expiresEpochMs: number) => ({
  expiresEpochMs,
  expiresAt: Math.ceil(expiresEpochMs / 1_000),
});

/** How often a record that vanished between refusal and read is claimed again. */
const claimsMax = 3;

const claim = async (table: Table, request: ClaimRequest): Promise<Claim> => {
  const { key, leaseUntilEpochMs, nowEpochMs, owner, payloadHash } = request;
  const { client, tableName } = table;
  const put = new PutCommand({
    TableName: tableName,
    Item: { key, owner, payloadHash, ...expiry(leaseUntilEpochMs) },
    ConditionExpression: "attribute_not_exists(#key) OR expiresEpochMs <= :now",
    ExpressionAttributeNames: { "#key": "key" },
    ExpressionAttributeValues: { ":now": nowEpochMs },
  });
  for (let count = 1; count <= claimsMax; count++) {
    const answer = await client.send(put).catch(unlessRefused);
    if (answer !== "refused") return { _tag: "Claimed" };
    const { Item: stored } = await client.send(
      new GetCommand({ TableName: tableName, Key: { key }, ConsistentRead: true }),
    );
    const item = decodeItem(stored);
    if (item) return claimOf(owner, item);
  }
  return { _tag: "InProgress", payloadHash, leaseUntilEpochMs: nowEpochMs };
};

/** What the record that stands says to this claimant; its own is its own: an earlier try, whose answer was lost. */
const claimOf = (owner: string, item: typeof Item.Type): Claim => {
  const { expiresEpochMs, payloadHash, result } = item;
  if (result !== undefined) return { _tag: "Completed", payloadHash, result, expiresEpochMs };
  if (item.owner === owner) return { _tag: "Claimed" };
  return { _tag: "InProgress", payloadHash, leaseUntilEpochMs: expiresEpochMs };
};

const extend = async (
  { client, tableName }: Table,
  key: string,
  owner: string,
  leaseUntilEpochMs: number,
): Promise<boolean> => {
  const { expiresAt, expiresEpochMs } = expiry(leaseUntilEpochMs);
  const answer = await client
    .send(
      new UpdateCommand({
        TableName: tableName,
        Key: { key },
        UpdateExpression: "SET expiresEpochMs = :ms, expiresAt = :seconds",
        ConditionExpression: "#owner = :owner AND attribute_not_exists(#result)",
        ExpressionAttributeNames: { "#result": "result", "#owner": "owner" },
        ExpressionAttributeValues: {
          ":owner": owner,
          ":ms": expiresEpochMs,
          ":seconds": expiresAt,
        },
      }),
    )
    .catch(unlessRefused);
  return answer !== "refused";
};

const complete = async ({ client, tableName }: Table, completion: Completion): Promise<boolean> => {
  const { key, owner, result } = completion;
  const { expiresAt, expiresEpochMs } = expiry(completion.expiresEpochMs);
  const answer = await client
    .send(
      new UpdateCommand({
        TableName: tableName,
        Key: { key },
        UpdateExpression: "SET #result = :result, expiresEpochMs = :ms, expiresAt = :seconds",
        ConditionExpression: "#owner = :owner",
        ExpressionAttributeNames: { "#result": "result", "#owner": "owner" },
        ExpressionAttributeValues: {
          ":result": result,
          ":owner": owner,
          ":ms": expiresEpochMs,
          ":seconds": expiresAt,
        },
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
