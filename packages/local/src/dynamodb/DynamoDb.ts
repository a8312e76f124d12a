/**
 * DynamoDB of the embedded AWS: dynalite, and around it what dynalite lacks or passes over in silence.
 *
 * Added: the item of a failed condition, time-to-live settings, tags at table creation. Refused by name: operations and
 * parameters that neither has (transactions, streams, PartiQL, adding an index to a table, ...).
 */
import { Effect, FileSystem, Path, type PlatformError, Schedule, type Scope, Stream } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { AwsError, unknownOperation, unknownParameter } from "../AwsError.ts";
import type { AwsHandler, AwsRequest, AwsResponse } from "../http/AwsRequest.ts";
import { LocalState } from "../LocalState.ts";
import { writeShowingItem } from "./conditionFailure.ts";
import { type Dynalite, type DynaliteAnswer, openDynalite, parseObject } from "./Dynalite.ts";
import { checkParameters, isOperation } from "./parameters.ts";
import {
  createTimeToLiveTable,
  describeTimeToLive,
  forgetTimeToLive,
  updateTimeToLive,
} from "./timeToLive.ts";

type Json = Readonly<Record<string, unknown>>;

interface DynamoCall {
  readonly operation: string;
  readonly input: Json;
  readonly headers: Readonly<Record<string, string>>;
}

/** A request of DynamoDB has at most 16 MB (BatchWriteItem). */
const requestBytesMax = 16 * 1024 * 1024;

/** Builds the handler; tables live under `dynamodb/` of the state directory, or in memory when the state does. */
export const makeDynamoDb: Effect.Effect<
  AwsHandler,
  PlatformError.PlatformError,
  LocalState | FileSystem.FileSystem | Path.Path | Scope.Scope
> = Effect.gen(function* () {
  const { database, directory } = yield* LocalState;
  const fs = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  createTimeToLiveTable(database);
  // A database without a file is state for a test: LevelDB then has no reason to write one either.
  const inMemory = database.location() === null;
  const tables = path.join(directory, "dynamodb");
  if (!inMemory) yield* fs.makeDirectory(tables, { recursive: true });
  const dynalite = yield* openDynalite(inMemory ? undefined : tables);
  return (request) => handle(dynalite, database, request);
});

const handle = Effect.fnUntraced(function* (
  dynalite: Dynalite,
  database: DatabaseSync,
  request: AwsRequest,
): Effect.fn.Return<AwsResponse, AwsError> {
  const operation = (request.headers["x-amz-target"] ?? "").split(".")[1] ?? "";
  if (!isOperation(operation)) return yield* unknownOperation("dynamodb", operation);
  const body = yield* readBody(request);
  const input = yield* parseObject(body);
  yield* checkParameters(operation, input);
  const call = { operation, input, headers: request.headers };
  return yield* perform(dynalite, database, call, body);
});

const perform = Effect.fnUntraced(function* (
  dynalite: Dynalite,
  database: DatabaseSync,
  call: DynamoCall,
  body: string,
): Effect.fn.Return<AwsResponse, AwsError> {
  const { headers, input, operation } = call;
  const forward = dynalite(operation, body, headers);
  switch (operation) {
    case "PutItem":
    case "UpdateItem":
    case "DeleteItem":
      return yield* wantsItem(input)
        ? writeShowingItem(dynalite, call)
        : Effect.andThen(checkReturnValues(call), forward);
    case "Scan":
      if (input["ConsistentRead"] === true && input["IndexName"] !== undefined) {
        return yield* unknownParameter("dynamodb", operation, "ConsistentRead with IndexName");
      }
      return yield* forward;
    case "CreateTable":
      return yield* createTable(dynalite, call, body);
    case "DeleteTable": {
      const answer = yield* forward;
      if (answer.status !== 200) return answer;
      forgetTimeToLive(database, tableName(input));
      yield* settled(dynalite, call);
      return answer;
    }
    case "UpdateTable":
      return yield* Effect.tap(forward, () => settled(dynalite, call));
    case "UpdateTimeToLive":
    case "DescribeTimeToLive": {
      const table = yield* dynalite(
        "DescribeTable",
        JSON.stringify({ TableName: input["TableName"] }),
        headers,
      );
      if (table.status !== 200) return table;
      return jsonAnswer(
        operation === "UpdateTimeToLive"
          ? yield* updateTimeToLive(database, input)
          : describeTimeToLive(database, tableName(input)),
      );
    }
    default:
      return yield* forward;
  }
});

const wantsItem = (input: Json): boolean =>
  input["ReturnValuesOnConditionCheckFailure"] === "ALL_OLD";

const checkReturnValues = ({ input }: DynamoCall): Effect.Effect<void, AwsError> => {
  const value = input["ReturnValuesOnConditionCheckFailure"];
  return value === undefined || value === null || value === "NONE"
    ? Effect.void
    : Effect.fail(
        new AwsError({
          code: "ValidationException",
          message: `1 validation error detected: Value '${JSON.stringify(value)}' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]`,
          status: 400,
        }),
      );
};

/** dynalite knows tags, but not in the request that creates the table. */
const createTable = Effect.fnUntraced(function* (
  dynalite: Dynalite,
  call: DynamoCall,
  body: string,
): Effect.fn.Return<DynaliteAnswer, AwsError> {
  const { headers, input } = call;
  const answer = yield* dynalite("CreateTable", body, headers);
  const tags = input["Tags"];
  if (answer.status === 200) yield* settled(dynalite, call);
  if (answer.status !== 200 || !Array.isArray(tags) || tags.length === 0) return answer;
  const created = yield* parseObject(answer.body);
  const description = yield* parseObject(JSON.stringify(created["TableDescription"]));
  const tagged = yield* dynalite(
    "TagResource",
    JSON.stringify({ ResourceArn: description["TableArn"], Tags: tags }),
    headers,
  );
  return tagged.status === 200 ? answer : tagged;
});

/**
 * Waits until a table is ACTIVE or gone. The answer still says CREATING or DELETING, as AWS's does, but a client that
 * goes on at once does not meet the moment in between.
 */
const settled = (dynalite: Dynalite, { headers, input }: DynamoCall): Effect.Effect<void> =>
  dynalite("DescribeTable", JSON.stringify({ TableName: input["TableName"] }), headers).pipe(
    Effect.repeat({
      schedule: Schedule.spaced("1 millis"),
      until: ({ body, status }) => status !== 200 || body.includes('"TableStatus":"ACTIVE"'),
      times: settleTries,
    }),
    Effect.asVoid,
  );

/** dynalite needs one turn of the event loop and one write; a thousand turns mean that something else is wrong. */
const settleTries = 1000;

const tableName = (input: Json): string => String(input["TableName"]);

const jsonAnswer = (value: unknown): AwsResponse => ({
  status: 200,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify(value),
});

const readBody = Effect.fnUntraced(function* (
  request: AwsRequest,
): Effect.fn.Return<string, AwsError> {
  const pieces: Array<Uint8Array> = [];
  let bytes = 0;
  yield* Stream.runForEach(request.body, (piece) => {
    bytes += piece.byteLength;
    pieces.push(piece);
    return bytes > requestBytesMax
      ? Effect.fail(
          new AwsError({
            code: "RequestEntityTooLarge",
            message: `A request of DynamoDB has at most ${requestBytesMax} bytes`,
            status: 413,
          }),
        )
      : Effect.void;
  });
  return Buffer.concat(pieces).toString("utf8");
});
