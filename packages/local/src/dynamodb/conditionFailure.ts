/**
 * ReturnValuesOnConditionCheckFailure, which dynalite ignores: the item that stood in the way goes into the error.
 *
 * The item must be the one that the condition failed on, not one that came a moment later. So it is read between two
 * failures of the same write: when it is the same before and after the second failure, that failure was about it. If
 * the repeated write succeeds, it simply was the write that the client asked for.
 */
import { Effect, Schema } from "effect";
import { AwsError } from "../AwsError.ts";
import { type Dynalite, type DynaliteAnswer, parseObject } from "./Dynalite.ts";

const Described = Schema.fromJsonString(
  Schema.Struct({
    Table: Schema.Struct({
      KeySchema: Schema.Array(Schema.Struct({ AttributeName: Schema.String })),
    }),
  }),
);
const decodeDescribed = Schema.decodeUnknownEffect(Described);

const Got = Schema.fromJsonString(Schema.Struct({ Item: Schema.optionalKey(Schema.Unknown) }));
const decodeGot = Schema.decodeUnknownEffect(Got);

type Json = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, string>>;

/** Runs a conditional write whose failure has to show the item. */
export const writeShowingItem = Effect.fnUntraced(function* (
  call: Dynalite,
  write: { readonly operation: string; readonly input: Json; readonly headers: Headers },
): Effect.fn.Return<DynaliteAnswer, AwsError> {
  const { headers, input, operation } = write;
  const attempt = call(operation, JSON.stringify(input), headers);
  let answer = yield* attempt;
  if (!(yield* isConditionFailure(answer))) return answer;
  const key = yield* keyOf(call, input, headers);
  const read = Effect.map(
    call(
      "GetItem",
      JSON.stringify({ TableName: input["TableName"], Key: key, ConsistentRead: true }),
      headers,
    ),
    ({ body }) => body,
  );
  for (;;) {
    const before = yield* read;
    answer = yield* attempt;
    if (!(yield* isConditionFailure(answer))) return answer;
    const after = yield* read;
    if (before === after) return yield* withItem(answer, after);
  }
});

const isConditionFailure = (answer: DynaliteAnswer): Effect.Effect<boolean, AwsError> =>
  answer.status === 200
    ? Effect.succeed(false)
    : Effect.map(parseObject(answer.body), (failure) =>
        String(failure["__type"]).endsWith("#ConditionalCheckFailedException"),
      );

const keyOf = Effect.fnUntraced(function* (
  call: Dynalite,
  input: Json,
  headers: Headers,
): Effect.fn.Return<unknown, AwsError> {
  if (input["Key"] !== undefined) return input["Key"];
  const described = yield* call(
    "DescribeTable",
    JSON.stringify({ TableName: input["TableName"] }),
    headers,
  );
  const { Table } = yield* Effect.mapError(decodeDescribed(described.body), unreadable);
  const item = yield* parseObject(JSON.stringify(input["Item"]));
  return Object.fromEntries(
    Table.KeySchema.map(({ AttributeName }) => [AttributeName, item[AttributeName]]),
  );
});

const withItem = Effect.fnUntraced(function* (
  answer: DynaliteAnswer,
  read: string,
): Effect.fn.Return<DynaliteAnswer, AwsError> {
  const { Item } = yield* Effect.mapError(decodeGot(read), unreadable);
  if (Item === undefined) return answer;
  const failure = yield* parseObject(answer.body);
  return {
    status: answer.status,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ ...failure, Item }),
  };
});

const unreadable = () =>
  new AwsError({
    code: "InternalServerError",
    message: "dynalite gave an answer of an unknown shape",
    status: 500,
  });
