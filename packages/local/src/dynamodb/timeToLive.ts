/**
 * UpdateTimeToLive and DescribeTimeToLive: the setting is kept and given back, nothing is deleted.
 *
 * That is within DynamoDB's contract: it deletes expired items within days, so readers have to check the expiry
 * themselves. Local state seldom lives that long.
 */
import { Effect, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../AwsError.ts";

const Input = Schema.Struct({
  TableName: Schema.String,
  TimeToLiveSpecification: Schema.Struct({
    AttributeName: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(255)),
    Enabled: Schema.Boolean,
  }),
});
const decodeInput = Schema.decodeUnknownEffect(Input);
const Setting = Schema.Struct({ attribute: Schema.String });

/** Creates the table that keeps the settings. */
export const createTimeToLiveTable = (database: DatabaseSync): void =>
  database.exec(
    "CREATE TABLE IF NOT EXISTS dynamodb_ttl (tableName TEXT PRIMARY KEY, attribute TEXT NOT NULL) STRICT",
  );

const find = (database: DatabaseSync, tableName: string): string | undefined => {
  const row = database
    .prepare("SELECT attribute FROM dynamodb_ttl WHERE tableName = ?")
    .get(tableName);
  return row === undefined ? undefined : Schema.decodeUnknownSync(Setting)(row).attribute;
};

const invalid = (message: string) =>
  new AwsError({ code: "ValidationException", message, status: 400 });

/** UpdateTimeToLive of an existing table. */
export const updateTimeToLive = Effect.fnUntraced(function* (
  database: DatabaseSync,
  input: unknown,
): Effect.fn.Return<unknown, AwsError> {
  const { TableName, TimeToLiveSpecification } = yield* Effect.mapError(
    decodeInput(input),
    (error) => invalid(error.message),
  );
  const { AttributeName, Enabled } = TimeToLiveSpecification;
  const current = find(database, TableName);
  if (Enabled && current !== undefined) {
    return yield* invalid(
      current === AttributeName
        ? "TimeToLive is already enabled"
        : `TimeToLive is active on a different AttributeName: current AttributeName is ${current}`,
    );
  }
  if (!Enabled && current === undefined) {
    return yield* invalid("TimeToLive is already disabled");
  }
  if (!Enabled && current !== AttributeName) {
    return yield* invalid(
      `TimeToLive is active on a different AttributeName: current AttributeName is ${current}`,
    );
  }
  if (Enabled) {
    database
      .prepare("INSERT INTO dynamodb_ttl (tableName, attribute) VALUES (?, ?)")
      .run(TableName, AttributeName);
  } else forgetTimeToLive(database, TableName);
  return { TimeToLiveSpecification };
});

/** DescribeTimeToLive of an existing table. */
export const describeTimeToLive = (database: DatabaseSync, tableName: string): unknown => {
  const attribute = find(database, tableName);
  return {
    TimeToLiveDescription:
      attribute === undefined
        ? { TimeToLiveStatus: "DISABLED" }
        : { TimeToLiveStatus: "ENABLED", AttributeName: attribute },
  };
};

/** A deleted table takes its setting along. */
export const forgetTimeToLive = (database: DatabaseSync, tableName: string): void => {
  database.prepare("DELETE FROM dynamodb_ttl WHERE tableName = ?").run(tableName);
};
