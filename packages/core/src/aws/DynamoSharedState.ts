/**
 * Shared states in DynamoDB: one item per key, read, changed and put back if nobody else has changed it meanwhile.
 *
 * Each put carries a version of its own. The SDK repeats a put whose answer was lost and is refused by its own item;
 * the version in it says so, and the change is not made twice. Fibers of one process take turns, so that only processes
 * contend: a key carries some tens of changes a second, which is what a limit shared by functions needs.
 *
 * Table:  partition key `key` (S); attributes `version` (S), `state` (S, JSON), `expiresEpochMs` (N); `expiresAt` (N,
 *         seconds) is the table's time to live, which only tidies up
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { Clock, Effect, Layer, Random, Schema, Semaphore } from "effect";
import { type Change, SharedState, SharedStateUnavailable } from "../SharedState.ts";
import { awsFailure } from "./awsFailure.ts";
import { DocumentClient } from "./DocumentClient.ts";

const Item = Schema.Struct({
  version: Schema.String,
  state: Schema.String,
  expiresEpochMs: Schema.Finite,
});
const decodeItem = Schema.decodeUnknownSync(Schema.UndefinedOr(Item));

/** How often a change is tried before the key counts as contended. */
const triesMax = 12;
/** Longest pause between two tries, in milliseconds; it begins at a tenth of it. */
const pauseMsMax = 300;
/** Keys that take turns together in one process. */
const turnsCount = 64;

interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** The states in the given table. */
export const layerDynamo = (tableName: string): Layer.Layer<SharedState, never, DocumentClient> =>
  Layer.effect(
    SharedState,
    Effect.map(DocumentClient, (client) => {
      const table = { client, tableName };
      const turns = Array.from({ length: turnsCount }, () => Semaphore.makeUnsafe(1));
      const turnOf = (key: string) => {
        let sum = 0;
        for (const character of key) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
        return turns[sum % turnsCount];
      };
      return SharedState.of({
        modify: (key, change) => {
          const modified = modify(table, key, change);
          return turnOf(key)?.withPermit(modified) ?? modified;
        },
      });
    }),
  );

const attempt = <A>(key: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new SharedStateUnavailable({ key, ...awsFailure(cause) }),
  });

const modify = Effect.fnUntraced(function* <A>(
  table: Table,
  key: string,
  change: (state: string | undefined, nowEpochMs: number) => Change<A>,
) {
  const prefix = `${yield* Random.nextInt}${yield* Random.nextInt}`;
  let put: { readonly version: string; readonly answer: A } | undefined;
  for (let count = 1; count <= triesMax; count++) {
    const item = yield* attempt(key, () => get(table, key));
    // Our own put was applied, and its answer lost.
    if (put && item?.version === put.version) return put.answer;
    const nowEpochMs = yield* Clock.currentTimeMillis;
    const isValid = item !== undefined && nowEpochMs < item.expiresEpochMs;
    const { answer, next } = change(isValid ? item.state : undefined, nowEpochMs);
    if (!next) return answer;
    const version = `${prefix}-${count}`;
    put = { version, answer };
    const isPut = yield* attempt(key, () =>
      replace(table, key, item?.version, { version, ...next }),
    );
    if (isPut) return answer;
    const pauseMs = Math.min(pauseMsMax, (pauseMsMax / 10) * 2 ** (count - 1));
    yield* Effect.sleep(pauseMs * (yield* Random.next));
  }
  const cause = `it was changed by others ${triesMax} times while this change was made`;
  return yield* new SharedStateUnavailable({ key, failureClass: "throttled", cause });
});

const get = async ({ client, tableName }: Table, key: string) => {
  const { Item: stored } = await client.send(
    new GetCommand({ TableName: tableName, Key: { key }, ConsistentRead: true }),
  );
  return decodeItem(stored);
};

/** Puts the item in the place of the version that was read; false when it is there no more. */
const replace = async (
  { client, tableName }: Table,
  key: string,
  before: string | undefined,
  item: typeof Item.Type,
): Promise<boolean> => {
  const command = new PutCommand({
    TableName: tableName,
    Item: { key, ...item, expiresAt: Math.ceil(item.expiresEpochMs / 1_000) },
    ...(before === undefined
      ? {
          ConditionExpression: "attribute_not_exists(#key)",
          ExpressionAttributeNames: { "#key": "key" },
        }
      : {
          ConditionExpression: "#version = :before",
          ExpressionAttributeNames: { "#version": "version" },
          ExpressionAttributeValues: { ":before": before },
        }),
  });
  return client.send(command).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    },
  );
};
