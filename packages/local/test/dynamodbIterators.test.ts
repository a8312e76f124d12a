/**
 * Goal: reading a range leaves nothing open in the store, whether it is read to its end or not.
 * Method: dynalite as it is embedded, on disk and in memory.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Exit, Fiber, FileSystem, Schedule } from "effect";
import { iteratorCounts } from "../src/dynamodb/closeIterators.ts";
import { openDynalite } from "../src/dynamodb/Dynalite.ts";

const headers = {
  authorization:
    "AWS4-HMAC-SHA256 Credential=a/1/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a",
  "x-amz-date": "20261120T000000Z",
};
const table = {
  TableName: "Numbers",
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "id", AttributeType: "S" },
    { AttributeName: "n", AttributeType: "N" },
  ],
  KeySchema: [
    { AttributeName: "id", KeyType: "HASH" },
    { AttributeName: "n", KeyType: "RANGE" },
  ],
};
const all = {
  TableName: "Numbers",
  KeyConditionExpression: "id = :id",
  ExpressionAttributeValues: { ":id": { S: "a" } },
};

/** Five items in a table, and a way to ask for them. */
const openNumbers = Effect.fnUntraced(function* (directory: string | undefined) {
  const dynalite = yield* openDynalite(directory);
  const ask = Effect.fnUntraced(function* (operation: string, input: object) {
    const answer = yield* dynalite(operation, JSON.stringify(input), headers);
    assert.strictEqual(answer.status, 200, `${operation}: ${answer.body}`);
    return answer.body;
  });
  yield* ask("CreateTable", table);
  yield* ask("DescribeTable", { TableName: "Numbers" }).pipe(
    Effect.repeat({
      until: (body) => body.includes("ACTIVE"),
      schedule: Schedule.spaced("5 millis"),
    }),
  );
  for (let n = 0; n < 5; n++) {
    yield* ask("PutItem", { TableName: "Numbers", Item: { id: { S: "a" }, n: { N: String(n) } } });
  }
  return ask;
});

const readAndLook = Effect.fnUntraced(function* (directory: string | undefined) {
  const ask = yield* openNumbers(directory);
  const before = iteratorCounts();
  for (let time = 0; time < 10; time++) {
    assert.include(yield* ask("Query", all), '"Count":5');
    assert.include(yield* ask("Query", { ...all, Limit: 2 }), '"Count":2');
    assert.include(yield* ask("Scan", { TableName: "Numbers" }), '"Count":5');
  }
  assert.isAtLeast(iteratorCounts().opened - before.opened, 30);
  yield* Effect.sync(iteratorCounts).pipe(
    Effect.repeat({
      until: ({ closed, opened }) => closed === opened,
      schedule: Schedule.spaced("5 millis"),
    }),
  );
}, Effect.scoped);

describe("queries and scans", () => {
  it.live("leave no iterator open in memory", () => readAndLook(undefined), 20_000);

  it.live(
    "leave no iterator open on disk",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem;
        yield* readAndLook(yield* fs.makeTempDirectoryScoped({ prefix: "millrace-dynalite-" }));
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    20_000,
  );
});

describe("closing the store", () => {
  it.live("lets the queries end that are on their way, and turns away what comes later", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem;
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "millrace-dynalite-" });
      const [ask, ...fibers] = yield* Effect.scoped(
        Effect.gen(function* () {
          const ask = yield* openNumbers(directory);
          const query = Effect.forkDetach(ask("Query", all), { startImmediately: true });
          return [ask, ...(yield* Effect.all(Array.from({ length: 50 }, () => query)))] as const;
        }),
      );
      for (const fiber of fibers) assert.include(yield* Fiber.join(fiber), '"Count":5');
      const late = yield* Effect.exit(ask("Query", all));
      assert.isTrue(Exit.isFailure(late));
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  );
});
