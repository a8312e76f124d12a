/**
 * Goal: topics deliver to queues as AWS documents it. Method: the unmodified SDK client over the service, without a
 * socket.
 */
import * as Sdk from "@aws-sdk/client-sns";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { connect, field, queueArn, world } from "./busClient.ts";
import { call } from "./inProcess.ts";

const setUp = Effect.gen(function* () {
  const sdk = yield* connect;
  const { sns } = sdk;
  yield* sdk.createQueue("q");
  const { TopicArn = "" } = yield* call(() => sns.send(new Sdk.CreateTopicCommand({ Name: "t" })));
  const subscribe = (Attributes: Record<string, string> = {}, Endpoint = queueArn("q")) =>
    call(() =>
      sns.send(new Sdk.SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint, Attributes })),
    );
  const publish = (Message: string, more: Partial<Sdk.PublishCommandInput> = {}) =>
    call(() => sns.send(new Sdk.PublishCommand({ TopicArn, Message, ...more })));
  return { ...sdk, TopicArn, subscribe, publish };
});

const text = (StringValue: string) => ({ DataType: "String", StringValue });

describe("topics and subscriptions", () => {
  it.effect("a topic is made once, shown and deleted with its subscriptions", () =>
    Effect.gen(function* () {
      const { sns, TopicArn, subscribe } = yield* setUp;
      assert.strictEqual(TopicArn, "arn:aws:sns:us-east-1:000000000000:t");
      const again = yield* call(() => sns.send(new Sdk.CreateTopicCommand({ Name: "t" })));
      assert.strictEqual(again.TopicArn, TopicArn);
      const { SubscriptionArn } = yield* subscribe();
      assert.strictEqual((yield* subscribe()).SubscriptionArn, SubscriptionArn);
      const shown = yield* call(() => sns.send(new Sdk.GetTopicAttributesCommand({ TopicArn })));
      assert.strictEqual(shown.Attributes?.["SubscriptionsConfirmed"], "1");
      assert.include(shown.Attributes?.["Policy"], `"Resource":"${TopicArn}"`);
      assert.include(shown.Attributes?.["EffectiveDeliveryPolicy"], "numRetries");
      const list = call(() => sns.send(new Sdk.ListSubscriptionsCommand({})));
      assert.deepStrictEqual(
        (yield* list).Subscriptions?.map(({ Endpoint, Protocol }) => [Endpoint, Protocol]),
        [[queueArn("q"), "sqs"]],
      );
      const lost = call(() => sns.send(new Sdk.ListTopicsCommand({ NextToken: "abcd" })));
      assert.strictEqual((yield* Effect.flip(lost)).name, "InvalidParameterException");
      yield* call(() => sns.send(new Sdk.DeleteTopicCommand({ TopicArn })));
      assert.lengthOf((yield* list).Subscriptions ?? [], 0);
      assert.lengthOf((yield* call(() => sns.send(new Sdk.ListTopicsCommand({})))).Topics ?? [], 0);
      const gone = call(() => sns.send(new Sdk.GetTopicAttributesCommand({ TopicArn })));
      const error = yield* Effect.flip(gone);
      assert.deepStrictEqual([error.name, error.status], ["NotFoundException", 404]);
    }).pipe(Effect.provide(world)),
  );

  it.effect.each([
    ["another protocol", { Protocol: "email", Endpoint: "a@b.c" }, 501, "email"],
    ["an endpoint that is no queue", { Endpoint: "arn:aws:s3:::b" }, 400, "SQS endpoint ARN"],
    ["a protocol that SNS has not", { Protocol: "pigeon" }, 400, "pigeon"],
    ["an attribute that SNS has not", { Attributes: { Colour: "red" } }, 400, "Colour"],
    ["a topic that is no ARN", { TopicArn: "t" }, 400, "at least 6 elements, not 1"],
    ["a delivery policy", { Attributes: { DeliveryPolicy: "{}" } }, 501, "DeliveryPolicy"],
    [
      "a filter that is no pattern",
      { Attributes: { FilterPolicy: '{"a":"x"}' } },
      400,
      "FilterPolicy",
    ],
    [
      "a nested filter on attributes",
      { Attributes: { FilterPolicy: '{"a":{"b":["x"]}}' } },
      400,
      "nested",
    ],
    [
      "raw delivery of maybe",
      { Attributes: { RawMessageDelivery: "maybe" } },
      400,
      "RawMessageDelivery",
    ],
  ] as const)("Subscribe refuses %s", ([, more, status, named]) =>
    Effect.gen(function* () {
      const { sns, TopicArn } = yield* setUp;
      const command = new Sdk.SubscribeCommand({
        TopicArn,
        Protocol: "sqs",
        Endpoint: queueArn("q"),
        ...more,
      });
      const error = yield* Effect.flip(call(() => sns.send(command)));
      assert.strictEqual(error.status, status);
      assert.include(error.message, named);
    }).pipe(Effect.provide(world)),
  );

  it.effect("subscription attributes are changed, and unsubscribing ends the delivery", () =>
    Effect.gen(function* () {
      const { sns, subscribe, publish, drain } = yield* setUp;
      const { SubscriptionArn = "" } = yield* subscribe();
      const set = { SubscriptionArn, AttributeName: "RawMessageDelivery", AttributeValue: "true" };
      yield* call(() => sns.send(new Sdk.SetSubscriptionAttributesCommand(set)));
      const shown = yield* call(() =>
        sns.send(new Sdk.GetSubscriptionAttributesCommand({ SubscriptionArn })),
      );
      assert.strictEqual(shown.Attributes?.["RawMessageDelivery"], "true");
      yield* publish("x");
      assert.strictEqual((yield* drain("q"))[0]?.body, "x");
      yield* call(() => sns.send(new Sdk.UnsubscribeCommand({ SubscriptionArn })));
      yield* publish("y");
      assert.lengthOf(yield* drain("q"), 0);
    }).pipe(Effect.provide(world)),
  );
});

describe("Publish", () => {
  it.effect("a queue gets the envelope, or with raw delivery the message with its attributes", () =>
    Effect.gen(function* () {
      const { subscribe, publish, drain, createQueue, TopicArn } = yield* setUp;
      yield* createQueue("raw");
      yield* subscribe();
      yield* subscribe({ RawMessageDelivery: "true" }, queueArn("raw"));
      const MessageAttributes = { kind: text('a<b&"c"') };
      const { MessageId } = yield* publish("h\u00e9 <&>", { Subject: "Hi", MessageAttributes });
      const body = (yield* drain("q"))[0]?.body;
      assert.deepInclude(JSON.parse(body ?? "{}"), {
        Type: "Notification",
        MessageId,
        TopicArn,
        Subject: "Hi",
        Message: "h\u00e9 <&>",
        Timestamp: "1970-01-01T00:00:00.000Z",
        SignatureVersion: "1",
        MessageAttributes: { kind: { Type: "String", Value: 'a<b&"c"' } },
      });
      const [raw] = yield* drain("raw");
      assert.strictEqual(raw?.body, "h\u00e9 <&>");
      assert.deepStrictEqual(raw?.attributes, MessageAttributes);
    }).pipe(Effect.provide(world)),
  );

  it.effect("a structured message gives each protocol its text", () =>
    Effect.gen(function* () {
      const { subscribe, publish, drain } = yield* setUp;
      yield* subscribe({ RawMessageDelivery: "true" });
      const structured = { MessageStructure: "json" };
      yield* publish('{"default":"d","sqs":"s"}', structured);
      assert.strictEqual((yield* drain("q"))[0]?.body, "s");
      const error = yield* Effect.flip(publish('{"sqs":"s"}', structured));
      assert.include(error.message, "No default entry");
    }).pipe(Effect.provide(world)),
  );

  it.effect.each([
    [
      "an attribute",
      { FilterPolicy: '{"kind":["a",{"prefix":"b"}]}' },
      { kind: text("bx") },
      "m",
      1,
    ],
    ["another attribute", { FilterPolicy: '{"kind":["a"]}' }, { kind: text("c") }, "m", 0],
    ["no attribute", { FilterPolicy: '{"kind":["a"]}' }, {}, "m", 0],
    [
      "a number",
      { FilterPolicy: '{"n":[{"numeric":[">",5]}]}' },
      { n: { DataType: "Number", StringValue: "6" } },
      "m",
      1,
    ],
    [
      "an array",
      { FilterPolicy: '{"k":["b"]}' },
      { k: { DataType: "String.Array", StringValue: '["a","b"]' } },
      "m",
      1,
    ],
    ["the empty policy", { FilterPolicy: "{}" }, {}, "m", 1],
    [
      "the body",
      { FilterPolicy: '{"a":{"b":[1]}}', FilterPolicyScope: "MessageBody" },
      {},
      '{"a":{"b":1}}',
      1,
    ],
    [
      "a body that is no JSON",
      { FilterPolicy: '{"a":[1]}', FilterPolicyScope: "MessageBody" },
      {},
      "m",
      0,
    ],
  ] as const)("a filter on %s", ([, policy, MessageAttributes, message, expected]) =>
    Effect.gen(function* () {
      const { subscribe, publish, drain } = yield* setUp;
      yield* subscribe(policy);
      yield* publish(message, { MessageAttributes });
      assert.lengthOf(yield* drain("q"), expected);
    }).pipe(Effect.provide(world)),
  );

  it.effect.each([
    ["an empty message", "", {}, "InvalidParameter"],
    ["more than 256 KiB", "x".repeat(262_145), {}, "InvalidParameter"],
    ["a subject with a line break", "x", { Subject: "a\nb" }, "InvalidParameter"],
    [
      "an unknown data type",
      "x",
      { MessageAttributes: { a: { DataType: "Text", StringValue: "x" } } },
      "InvalidParameterValue",
    ],
    ["a message group", "x", { MessageGroupId: "g" }, "NotImplemented"],
    [
      "a topic that is not there",
      "x",
      { TopicArn: "arn:aws:sns:us-east-1:000000000000:none" },
      "NotFound",
    ],
  ] as const)("Publish refuses %s", ([, message, more, expected]) =>
    Effect.gen(function* () {
      const { publish } = yield* setUp;
      const error = yield* Effect.flip(publish(message, more));
      assert.include([error.name, error.name.replace(/Exception$/, "")], expected);
    }).pipe(Effect.provide(world)),
  );

  it.effect("a batch has one answer for each entry", () =>
    Effect.gen(function* () {
      const { sns, TopicArn, subscribe, drain } = yield* setUp;
      yield* subscribe();
      const send = (PublishBatchRequestEntries: Array<Sdk.PublishBatchRequestEntry>) =>
        call(() => sns.send(new Sdk.PublishBatchCommand({ TopicArn, PublishBatchRequestEntries })));
      const sent = yield* send([
        { Id: "1", Message: "one" },
        { Id: "2", Message: "two", Subject: "\n" },
      ]);
      assert.deepStrictEqual(
        sent.Successful?.map(({ Id }) => Id),
        ["1"],
      );
      assert.deepStrictEqual(
        sent.Failed?.map(({ Id, Code }) => [Id, Code]),
        [["2", "InvalidParameter"]],
      );
      assert.strictEqual(field((yield* drain("q"))[0]?.body, "Message"), "one");
      const none = yield* Effect.flip(send([]));
      assert.include(none.name, "EmptyBatchRequest");
      yield* call(() => sns.send(new Sdk.DeleteTopicCommand({ TopicArn })));
      const gone = yield* Effect.flip(send([{ Id: "1", Message: "one" }]));
      assert.deepStrictEqual([gone.name, gone.status], ["NotFoundException", 404]);
    }).pipe(Effect.provide(world)),
  );

  it.effect("a queue that is gone sends the notification to the subscription's dead letters", () =>
    Effect.gen(function* () {
      const { subscribe, publish, drain, createQueue } = yield* setUp;
      yield* createQueue("dead");
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn("dead") });
      yield* subscribe({ RedrivePolicy, RawMessageDelivery: "true" }, queueArn("none"));
      yield* publish("x");
      assert.strictEqual((yield* drain("dead"))[0]?.body, "x");
    }).pipe(Effect.provide(world)),
  );

  it.effect("a rule of the bus may have a topic as its target", () =>
    Effect.gen(function* () {
      const { TopicArn, subscribe, rule, put, drain } = yield* setUp;
      yield* subscribe({ RawMessageDelivery: "true" });
      yield* rule("r", { source: ["acme"] }, [{ Id: "1", Arn: TopicArn }]);
      yield* put({});
      assert.strictEqual(field((yield* drain("q"))[0]?.body, "source"), "acme");
    }).pipe(Effect.provide(world)),
  );
});
