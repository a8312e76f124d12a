/**
 * Goal: SQS clients see what AWS documents about messages. Method: the unmodified SDK client over the service, without a
 * socket; time by TestClock.
 */
import * as Sdk from "@aws-sdk/client-sqs";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";
import { createHash } from "node:crypto";
import { Sqs } from "../src/sqs/Sqs.ts";
import { call } from "./inProcess.ts";
import { arn, bodies, connect, service } from "./sqsClient.ts";

describe("messages", () => {
  it.effect("body and attributes come back, digests verified by the client", () =>
    Effect.gen(function* () {
      const { create, send, receive } = yield* connect;
      const url = yield* create("q");
      const MessageAttributes = {
        text: { DataType: "String", StringValue: "ä🚚" },
        count: { DataType: "Number.int", StringValue: "-12.5e3" },
        bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255, 7]) },
      };
      const MessageSystemAttributes = {
        AWSTraceHeader: {
          DataType: "String",
          StringValue: "Root=1-5e645f3e-1dfad076a177c5ccc5de12f5",
        },
      };
      const sent = yield* send(url, "héllo\n", { MessageAttributes, MessageSystemAttributes });
      assert.strictEqual(sent.MD5OfMessageBody, createHash("md5").update("héllo\n").digest("hex"));
      const [message] = yield* receive(url);
      assert.strictEqual(message?.Body, "héllo\n");
      assert.strictEqual(message?.MessageId, sent.MessageId);
      assert.strictEqual(message?.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
      assert.strictEqual(message?.MessageAttributes?.["text"]?.StringValue, "ä🚚");
      assert.deepStrictEqual(
        [...(message?.MessageAttributes?.["bytes"]?.BinaryValue ?? [])],
        [0, 255, 7],
      );
      assert.strictEqual(message?.Attributes?.["ApproximateReceiveCount"], "1");
      assert.strictEqual(
        message?.Attributes?.["AWSTraceHeader"],
        MessageSystemAttributes.AWSTraceHeader.StringValue,
      );
    }).pipe(Effect.provide(service)),
  );

  it.effect("attributes are selected by name and by prefix", () =>
    Effect.gen(function* () {
      const { create, send, receive } = yield* connect;
      const url = yield* create("q", { VisibilityTimeout: "0" });
      const value = { DataType: "String", StringValue: "v" };
      yield* send(url, "x", { MessageAttributes: { "a.one": value, "a.two": value, b: value } });
      const names = (MessageAttributeNames: Array<string>) =>
        Effect.map(receive(url, { MessageAttributeNames }), ([message]) =>
          Object.keys(message?.MessageAttributes ?? {}).toSorted(),
        );
      assert.deepStrictEqual(yield* names(["a.*"]), ["a.one", "a.two"]);
      assert.deepStrictEqual(yield* names(["b"]), ["b"]);
      assert.deepStrictEqual(yield* names([".*"]), ["a.one", "a.two", "b"]);
      assert.deepStrictEqual(yield* names([]), []);
    }).pipe(Effect.provide(service)),
  );

  it.effect.each([
    ["an empty body", "", {}, "MissingParameter"],
    ["a control character", "a\u0000b", {}, "InvalidMessageContents"],
    ["a body beyond 1 MiB", "x".repeat(1_048_577), {}, "InvalidParameterValue"],
    ["a delay beyond 15 minutes", "x", { DelaySeconds: 901 }, "InvalidParameterValue"],
    [
      "a number that is none",
      "x",
      { MessageAttributes: { n: { DataType: "Number", StringValue: "ten" } } },
      "InvalidParameterValue",
    ],
    [
      "an unknown data type",
      "x",
      { MessageAttributes: { n: { DataType: "Text", StringValue: "x" } } },
      "InvalidParameterValue",
    ],
    [
      "a reserved attribute name",
      "x",
      { MessageAttributes: { "AWS.n": { DataType: "String", StringValue: "x" } } },
      "InvalidParameterValue",
    ],
  ] as const)("SendMessage refuses %s", ([, body, more, expected]) =>
    Effect.gen(function* () {
      const { create, send, receive } = yield* connect;
      const url = yield* create("q");
      const error = yield* Effect.flip(send(url, body, more));
      assert.strictEqual(error.name, expected);
      assert.lengthOf(yield* receive(url), 0);
    }).pipe(Effect.provide(service)),
  );

  it.effect("a message of exactly 1 MiB is taken", () =>
    Effect.gen(function* () {
      const { create, send, receive } = yield* connect;
      const url = yield* create("q");
      yield* send(url, "x".repeat(1_048_576));
      assert.strictEqual((yield* receive(url))[0]?.Body?.length, 1_048_576);
    }).pipe(Effect.provide(service)),
  );

  it.effect("a received message is hidden for its visibility timeout, then comes again", () =>
    Effect.gen(function* () {
      const { create, send, receive, attributes } = yield* connect;
      const url = yield* create("q", { VisibilityTimeout: "30" });
      yield* send(url, "x");
      assert.lengthOf(yield* receive(url), 1);
      const hidden = yield* attributes(url);
      assert.strictEqual(hidden["ApproximateNumberOfMessagesNotVisible"], "1");
      assert.strictEqual(hidden["ApproximateNumberOfMessages"], "0");
      yield* TestClock.adjust("29 seconds");
      assert.lengthOf(yield* receive(url), 0);
      yield* TestClock.adjust("1 second");
      const [again] = yield* receive(url);
      assert.strictEqual(again?.Attributes?.["ApproximateReceiveCount"], "2");
    }).pipe(Effect.provide(service)),
  );

  it.effect("a receipt handle is stale once the message was received again", () =>
    Effect.gen(function* () {
      const { client, create, send, receive } = yield* connect;
      const QueueUrl = yield* create("q", { VisibilityTimeout: "1" });
      yield* send(QueueUrl, "x");
      const [first] = yield* receive(QueueUrl);
      yield* TestClock.adjust("1 second");
      const [second] = yield* receive(QueueUrl);
      const remove = (ReceiptHandle = "") =>
        call(() => client.send(new Sdk.DeleteMessageCommand({ QueueUrl, ReceiptHandle })));
      const change = new Sdk.ChangeMessageVisibilityCommand({
        QueueUrl,
        ReceiptHandle: first?.ReceiptHandle ?? "",
        VisibilityTimeout: 5,
      });
      const stale = yield* Effect.flip(call(() => client.send(change)));
      assert.strictEqual(stale.code, "InvalidParameterValue");
      yield* remove(first?.ReceiptHandle);
      yield* TestClock.adjust("1 second");
      const [third] = yield* receive(QueueUrl);
      assert.strictEqual(third?.MessageId, second?.MessageId);
      yield* remove(third?.ReceiptHandle);
      yield* TestClock.adjust("1 second");
      assert.lengthOf(yield* receive(QueueUrl), 0);
      assert.strictEqual((yield* Effect.flip(remove("nonsense"))).name, "ReceiptHandleIsInvalid");
    }).pipe(Effect.provide(service)),
  );

  it.effect(
    "ChangeMessageVisibility to 0 shows the message at once; a visible one is not in flight",
    () =>
      Effect.gen(function* () {
        const { client, create, send, receive } = yield* connect;
        const QueueUrl = yield* create("q");
        yield* send(QueueUrl, "x");
        const [message] = yield* receive(QueueUrl);
        const change = call(() =>
          client.send(
            new Sdk.ChangeMessageVisibilityCommand({
              QueueUrl,
              ReceiptHandle: message?.ReceiptHandle ?? "",
              VisibilityTimeout: 0,
            }),
          ),
        );
        yield* change;
        assert.strictEqual((yield* Effect.flip(change)).name, "MessageNotInflight");
        assert.lengthOf(yield* receive(QueueUrl), 1);
      }).pipe(Effect.provide(service)),
  );

  it.effect("a delayed message is counted as delayed and comes after its delay", () =>
    Effect.gen(function* () {
      const { create, send, receive, attributes } = yield* connect;
      const url = yield* create("q", { DelaySeconds: "10" });
      yield* send(url, "queue's delay");
      yield* send(url, "own delay", { DelaySeconds: 0 });
      assert.strictEqual((yield* attributes(url))["ApproximateNumberOfMessagesDelayed"], "1");
      assert.deepStrictEqual(bodies(yield* receive(url)), ["own delay"]);
      yield* TestClock.adjust("10 seconds");
      assert.deepStrictEqual(bodies(yield* receive(url)), ["queue's delay"]);
    }).pipe(Effect.provide(service)),
  );

  it.effect("a message is gone when its retention has passed", () =>
    Effect.gen(function* () {
      const { create, send, receive } = yield* connect;
      const url = yield* create("q", { MessageRetentionPeriod: "60" });
      yield* send(url, "x");
      yield* TestClock.adjust("60 seconds");
      assert.lengthOf(yield* receive(url), 0);
    }).pipe(Effect.provide(service)),
  );

  it.effect("a waiting receiver wakes on arrival, on visibility, and at the end of its wait", () =>
    Effect.gen(function* () {
      const { create } = yield* connect;
      yield* create("q", { VisibilityTimeout: "5" });
      const sqs = yield* Sqs;
      const arrival = yield* Effect.forkChild(sqs.receive("q", { waitSeconds: 20 }));
      yield* Effect.yieldNow;
      yield* sqs.send(arn("q"), { body: "x" });
      assert.strictEqual((yield* Fiber.join(arrival))[0]?.body, "x");
      const visible = yield* Effect.forkChild(sqs.receive("q", { waitSeconds: 20 }));
      yield* TestClock.adjust("5 seconds");
      assert.lengthOf(yield* Fiber.join(visible), 1);
      const end = yield* Effect.forkChild(sqs.receive("q", { waitSeconds: 3 }));
      yield* TestClock.adjust("3 seconds");
      assert.lengthOf(yield* Fiber.join(end), 0);
    }).pipe(Effect.provide(service)),
  );

  it.effect("PurgeQueue empties the queue and is refused again within 60 seconds", () =>
    Effect.gen(function* () {
      const { client, create, send, receive } = yield* connect;
      const QueueUrl = yield* create("q");
      yield* send(QueueUrl, "x");
      const purge = call(() => client.send(new Sdk.PurgeQueueCommand({ QueueUrl })));
      yield* purge;
      assert.lengthOf(yield* receive(QueueUrl), 0);
      assert.strictEqual((yield* Effect.flip(purge)).name, "PurgeQueueInProgress");
    }).pipe(Effect.provide(service)),
  );
});
