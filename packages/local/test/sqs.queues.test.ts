/**
 * Goal: SQS clients see what AWS documents about queues. Method: the unmodified SDK client over the service, without a
 * socket; time by TestClock.
 */
import * as Sdk from "@aws-sdk/client-sqs";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { TestClock } from "effect/testing";
import { call } from "./inProcess.ts";
import { connect, service } from "./sqsClient.ts";

describe("queues", () => {
  it.effect("CreateQueue gives the same URL again for the same attributes", () =>
    Effect.gen(function* () {
      const { create } = yield* connect;
      const first = yield* create("orders", { VisibilityTimeout: "5" });
      assert.strictEqual(first, "http://127.0.0.1:4566/000000000000/orders");
      assert.strictEqual(yield* create("orders", { VisibilityTimeout: "5" }), first);
      assert.strictEqual(yield* create("orders"), first);
      const error = yield* Effect.flip(create("orders", { VisibilityTimeout: "6" }));
      assert.strictEqual(error.name, "QueueNameExists");
      assert.strictEqual(error.code, "QueueAlreadyExists");
    }).pipe(Effect.provide(service)),
  );

  it.effect.each([
    ["VisibilityTimeout", "43201", "InvalidAttributeValue"],
    ["VisibilityTimeout", "x", "InvalidAttributeValue"],
    ["DelaySeconds", "901", "InvalidAttributeValue"],
    ["MaximumMessageSize", "1048577", "InvalidAttributeValue"],
    ["MaximumMessageSize", "1023", "InvalidAttributeValue"],
    ["MessageRetentionPeriod", "59", "InvalidAttributeValue"],
    ["ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"],
    ["RedrivePolicy", "{}", "InvalidParameterValue"],
    ["RedrivePolicy", "nonsense", "InvalidParameterValue"],
    [
      "RedrivePolicy",
      '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:d","maxReceiveCount":1001}',
      "InvalidParameterValue",
    ],
    ["Colour", "red", "InvalidAttributeName"],
    ["FifoQueue", "true", "NotImplemented"],
    ["KmsMasterKeyId", "alias/x", "NotImplemented"],
  ] as const)("CreateQueue refuses %s = %s with %s", ([name, value, expected]) =>
    Effect.gen(function* () {
      const { create } = yield* connect;
      const error = yield* Effect.flip(create("q", { [name]: value }));
      assert.strictEqual(error.name, expected);
      assert.include(error.message, name);
    }).pipe(Effect.provide(service)),
  );

  it.effect("a name is refused for 60 seconds after the queue was deleted", () =>
    Effect.gen(function* () {
      const { client, create } = yield* connect;
      const QueueUrl = yield* create("gone");
      yield* call(() => client.send(new Sdk.DeleteQueueCommand({ QueueUrl })));
      assert.strictEqual((yield* Effect.flip(create("gone"))).name, "QueueDeletedRecently");
      yield* TestClock.adjust("60 seconds");
      assert.strictEqual(yield* create("gone"), QueueUrl);
    }).pipe(Effect.provide(service)),
  );

  it.effect("a missing queue is QueueDoesNotExist with the code of the query protocol", () =>
    Effect.gen(function* () {
      const { client, send } = yield* connect;
      const error = yield* Effect.flip(send("http://127.0.0.1:4566/000000000000/none", "x"));
      assert.strictEqual(error.name, "QueueDoesNotExist");
      assert.strictEqual(error.code, "AWS.SimpleQueueService.NonExistentQueue");
      assert.strictEqual(error.status, 400);
      const byName = call(() => client.send(new Sdk.GetQueueUrlCommand({ QueueName: "none" })));
      assert.strictEqual((yield* Effect.flip(byName)).name, "QueueDoesNotExist");
    }).pipe(Effect.provide(service)),
  );

  it.effect("ListQueues filters by prefix and pages only when MaxResults is given", () =>
    Effect.gen(function* () {
      const { client, create } = yield* connect;
      yield* Effect.forEach(["a-1", "a-2", "a-3", "b-1"], (name) => create(name));
      const list = (input: Sdk.ListQueuesCommandInput) =>
        call(() => client.send(new Sdk.ListQueuesCommand(input)));
      assert.lengthOf((yield* list({})).QueueUrls ?? [], 4);
      const first = yield* list({ QueueNamePrefix: "a-", MaxResults: 2 });
      assert.lengthOf(first.QueueUrls ?? [], 2);
      assert.isString(first.NextToken);
      const { NextToken = "" } = first;
      const second = yield* list({ QueueNamePrefix: "a-", MaxResults: 2, NextToken });
      assert.deepStrictEqual(second.QueueUrls, ["http://127.0.0.1:4566/000000000000/a-3"]);
      assert.isUndefined(second.NextToken);
    }).pipe(Effect.provide(service)),
  );

  it.effect("tags are kept and removed", () =>
    Effect.gen(function* () {
      const { client, create } = yield* connect;
      const QueueUrl = yield* create("tagged");
      yield* call(() =>
        client.send(new Sdk.TagQueueCommand({ QueueUrl, Tags: { a: "1", b: "2" } })),
      );
      yield* call(() => client.send(new Sdk.UntagQueueCommand({ QueueUrl, TagKeys: ["a"] })));
      const { Tags } = yield* call(() => client.send(new Sdk.ListQueueTagsCommand({ QueueUrl })));
      assert.deepStrictEqual(Tags, { b: "2" });
    }).pipe(Effect.provide(service)),
  );

  it.effect("an unknown operation and an unknown parameter are refused by name", () =>
    Effect.gen(function* () {
      const { client, create, send } = yield* connect;
      const QueueUrl = yield* create("q");
      const permission = new Sdk.AddPermissionCommand({
        QueueUrl,
        Label: "l",
        AWSAccountIds: ["1"],
        Actions: ["*"],
      });
      const operation = yield* Effect.flip(call(() => client.send(permission)));
      assert.strictEqual(operation.status, 501);
      assert.include(operation.message, "AddPermission");
      const parameter = yield* Effect.flip(send(QueueUrl, "x", { MessageGroupId: "g" }));
      assert.strictEqual(parameter.status, 501);
      assert.include(parameter.message, "MessageGroupId");
    }).pipe(Effect.provide(service)),
  );
});
