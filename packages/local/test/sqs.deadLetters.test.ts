/**
 * Goal: SQS clients see what AWS documents about batches and dead letters. Method: the unmodified SDK client over the service, without a
 * socket; time by TestClock.
 */
import * as Sdk from "@aws-sdk/client-sqs";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { TestClock } from "effect/testing";
import { call } from "./inProcess.ts";
import { arn, bodies, connect, service } from "./sqsClient.ts";

const entry = (Id: string, MessageBody = "x") => ({ Id, MessageBody });

describe("batches", () => {
  it.effect.each([
    ["no entries", [], "EmptyBatchRequest"],
    [
      "eleven entries",
      Array.from({ length: 11 }, (_, n) => entry(`e${n}`)),
      "TooManyEntriesInBatchRequest",
    ],
    ["the same id twice", [entry("a"), entry("a")], "BatchEntryIdsNotDistinct"],
    ["an id with a space", [entry("a b")], "InvalidBatchEntryId"],
    [
      "more than 1 MiB together",
      [entry("a", "x".repeat(600_000)), entry("b", "x".repeat(600_000))],
      "BatchRequestTooLong",
    ],
  ] as const)("SendMessageBatch refuses %s", ([, entries, expected]) =>
    Effect.gen(function* () {
      const { client, create } = yield* connect;
      const QueueUrl = yield* create("q");
      const command = new Sdk.SendMessageBatchCommand({ QueueUrl, Entries: [...entries] });
      const error = yield* Effect.flip(call(() => client.send(command)));
      assert.strictEqual(error.name, expected);
      assert.strictEqual(error.code, `AWS.SimpleQueueService.${expected}`);
    }).pipe(Effect.provide(service)),
  );

  it.effect("one bad entry fails alone", () =>
    Effect.gen(function* () {
      const { client, create, receive } = yield* connect;
      const QueueUrl = yield* create("q");
      const Entries = [entry("good"), { ...entry("bad"), DelaySeconds: 1_000 }];
      const sent = yield* call(() =>
        client.send(new Sdk.SendMessageBatchCommand({ QueueUrl, Entries })),
      );
      assert.deepStrictEqual(
        sent.Successful?.map(({ Id }) => Id),
        ["good"],
      );
      assert.deepStrictEqual(
        sent.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
        [["bad", "InvalidParameterValue", true]],
      );
      const [message] = yield* receive(QueueUrl);
      const removed = yield* call(() =>
        client.send(
          new Sdk.DeleteMessageBatchCommand({
            QueueUrl,
            Entries: [
              { Id: "1", ReceiptHandle: message?.ReceiptHandle ?? "" },
              { Id: "2", ReceiptHandle: "nonsense" },
            ],
          }),
        ),
      );
      assert.deepStrictEqual(
        removed.Successful?.map(({ Id }) => Id),
        ["1"],
      );
      assert.deepStrictEqual(
        removed.Failed?.map(({ Code }) => Code),
        ["ReceiptHandleIsInvalid"],
      );
    }).pipe(Effect.provide(service)),
  );
});

describe("dead letters", () => {
  const pair = Effect.gen(function* () {
    const sdk = yield* connect;
    const dead = yield* sdk.create("dead");
    const policy = JSON.stringify({ deadLetterTargetArn: arn("dead"), maxReceiveCount: 2 });
    const live = yield* sdk.create("live", { RedrivePolicy: policy, VisibilityTimeout: "1" });
    return { ...sdk, dead, live };
  });

  /** Receives the one message twice and looks a third time, which dead-letters it. */
  const exhaust = Effect.fnUntraced(function* (url: string) {
    const { receive } = yield* connect;
    for (const expected of [1, 1, 0]) {
      assert.lengthOf(yield* receive(url), expected);
      yield* TestClock.adjust("1 second");
    }
  });

  it.effect("a message received too often goes to the dead-letter queue with its history", () =>
    Effect.gen(function* () {
      const { client, dead, live, send, receive } = yield* pair;
      const sent = yield* send(live, "poison");
      yield* exhaust(live);
      const [message] = yield* receive(dead);
      assert.strictEqual(message?.MessageId, sent.MessageId);
      assert.strictEqual(message?.Attributes?.["DeadLetterQueueSourceArn"], arn("live"));
      assert.strictEqual(message?.Attributes?.["SentTimestamp"], "0");
      assert.strictEqual(message?.Attributes?.["ApproximateReceiveCount"], "3");
      const { queueUrls } = yield* call(() =>
        client.send(new Sdk.ListDeadLetterSourceQueuesCommand({ QueueUrl: dead })),
      );
      assert.deepStrictEqual(queueUrls, [live]);
    }).pipe(Effect.provide(service)),
  );

  it.effect("RedriveAllowPolicy denyAll keeps messages where they are", () =>
    Effect.gen(function* () {
      const { client, dead, live, send, receive } = yield* pair;
      const Attributes = { RedriveAllowPolicy: JSON.stringify({ redrivePermission: "denyAll" }) };
      yield* call(() =>
        client.send(new Sdk.SetQueueAttributesCommand({ QueueUrl: dead, Attributes })),
      );
      yield* send(live, "x");
      for (const _ of [1, 2, 3]) {
        assert.lengthOf(yield* receive(live), 1);
        yield* TestClock.adjust("1 second");
      }
    }).pipe(Effect.provide(service)),
  );

  it.effect("RedrivePolicy must name a queue that exists and allows it", () =>
    Effect.gen(function* () {
      const { create } = yield* connect;
      yield* create("closed", {
        RedriveAllowPolicy: JSON.stringify({ redrivePermission: "denyAll" }),
      });
      for (const name of ["none", "closed"]) {
        const RedrivePolicy = JSON.stringify({
          deadLetterTargetArn: arn(name),
          maxReceiveCount: 1,
        });
        const error = yield* Effect.flip(create("source", { RedrivePolicy }));
        assert.strictEqual(error.code, "InvalidParameterValue");
        assert.include(error.message, "RedrivePolicy");
      }
    }).pipe(Effect.provide(service)),
  );

  it.effect("a move task brings dead letters back as new messages", () =>
    Effect.gen(function* () {
      const { client, live, dead, send, receive } = yield* pair;
      yield* send(live, "poison");
      yield* exhaust(live);
      const SourceArn = arn("dead");
      const start = call(() => client.send(new Sdk.StartMessageMoveTaskCommand({ SourceArn })));
      const { TaskHandle } = yield* start;
      assert.isString(TaskHandle);
      yield* TestClock.adjust("1 second");
      const { Results } = yield* call(() =>
        client.send(new Sdk.ListMessageMoveTasksCommand({ SourceArn })),
      );
      assert.strictEqual(Results?.[0]?.Status, "COMPLETED");
      assert.strictEqual(Results?.[0]?.ApproximateNumberOfMessagesMoved, 1);
      assert.lengthOf(yield* receive(dead), 0);
      const [back] = yield* receive(live);
      assert.strictEqual(back?.Attributes?.["ApproximateReceiveCount"], "1");
      assert.isUndefined(back?.Attributes?.["DeadLetterQueueSourceArn"]);
      const cancel = new Sdk.CancelMessageMoveTaskCommand({ TaskHandle: TaskHandle ?? "" });
      const late = yield* Effect.flip(call(() => client.send(cancel)));
      assert.strictEqual(late.name, "UnsupportedOperation");
    }).pipe(Effect.provide(service)),
  );

  it.effect(
    "a move task can be cancelled while it runs, and one queue has one task at a time",
    () =>
      Effect.gen(function* () {
        const { client, live, dead, send, receive } = yield* pair;
        yield* send(dead, "one");
        yield* send(dead, "two");
        const start = call(() =>
          client.send(
            new Sdk.StartMessageMoveTaskCommand({
              SourceArn: arn("dead"),
              DestinationArn: arn("live"),
              MaxNumberOfMessagesPerSecond: 1,
            }),
          ),
        );
        const { TaskHandle = "" } = yield* start;
        assert.strictEqual((yield* Effect.flip(start)).name, "UnsupportedOperation");
        yield* call(() => client.send(new Sdk.CancelMessageMoveTaskCommand({ TaskHandle })));
        yield* TestClock.adjust("5 seconds");
        const left = [...bodies(yield* receive(dead)), ...bodies(yield* receive(live))];
        assert.sameMembers(left, ["one", "two"]);
      }).pipe(Effect.provide(service)),
  );

  it.effect("a queue that is nobody's dead-letter queue cannot be a source", () =>
    Effect.gen(function* () {
      const { client, create } = yield* connect;
      yield* create("plain");
      const start = new Sdk.StartMessageMoveTaskCommand({ SourceArn: arn("plain") });
      assert.strictEqual(
        (yield* Effect.flip(call(() => client.send(start)))).code,
        "InvalidParameterValue",
      );
    }).pipe(Effect.provide(service)),
  );
});
