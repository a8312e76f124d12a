/**
 * The wire operations on messages, single and in batches.
 *
 * Source: SQS API reference 2012-11-05
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { operationsOf } from "../http/operation.ts";
import { runBatch } from "./batch.ts";
import {
  MessageAttribute,
  MessageAttributes,
  md5OfAttributes,
  selectAttributes,
} from "./MessageAttributes.ts";
import {
  messageBytes,
  type Messages,
  type OutgoingMessage,
  type ReceivedMessage,
} from "./messages.ts";
import { messageBytesMax } from "./QueueSettings.ts";
import { inputProblem, invalidParameter, sqsError } from "./SqsErrors.ts";

const QueueUrl = { QueueUrl: Schema.String };
const SendFields = {
  MessageBody: Schema.String,
  DelaySeconds: Schema.optionalKey(Schema.Int),
  MessageAttributes: Schema.optionalKey(MessageAttributes),
  MessageSystemAttributes: Schema.optionalKey(Schema.Record(Schema.String, MessageAttribute)),
};
const SendInput = Schema.Struct(SendFields);
type SendInput = typeof SendInput.Type;
const VisibilityFields = { ReceiptHandle: Schema.String, VisibilityTimeout: Schema.Int };
const Entry = { Id: Schema.String };
const operation = operationsOf("SQS", inputProblem);

export const messageOperations = (messages: Messages): JsonOperations => ({
  ...sendOperations(messages),
  ...receiveOperations(messages),
  ...settleOperations(messages),
});

const sendOperations = (messages: Messages): JsonOperations => {
  const send = Effect.fnUntraced(function* (queue: string, input: SendInput) {
    const sent = yield* messages.send(queue, yield* outgoing(input));
    const md5OfSystem = md5OfAttributes(input.MessageSystemAttributes ?? {});
    return {
      MessageId: sent.messageId,
      MD5OfMessageBody: sent.md5OfBody,
      ...(sent.md5OfAttributes === undefined
        ? {}
        : { MD5OfMessageAttributes: sent.md5OfAttributes }),
      ...(md5OfSystem === undefined ? {} : { MD5OfMessageSystemAttributes: md5OfSystem }),
    };
  });
  return {
    SendMessage: operation(
      "SendMessage",
      Schema.Struct({ ...QueueUrl, ...SendFields }),
      ({ QueueUrl, ...input }) => send(QueueUrl, input),
    ),
    SendMessageBatch: operation(
      "SendMessageBatch",
      Schema.Struct({
        ...QueueUrl,
        Entries: Schema.Array(Schema.Struct({ ...Entry, ...SendFields })),
      }),
      Effect.fnUntraced(function* ({ QueueUrl, Entries }) {
        yield* messages.need(QueueUrl);
        const bytes = Entries.reduce((sum, entry) => sum + messageBytes(plain(entry)), 0);
        const tooLong = sqsError(
          "BatchRequestTooLong",
          `Batch requests cannot be longer than ${messageBytesMax} bytes. You have sent ${bytes} bytes.`,
        );
        return yield* runBatch(Entries, bytes > messageBytesMax ? tooLong : undefined, (entry) =>
          send(QueueUrl, entry),
        );
      }),
    ),
  };
};

const plain = (input: SendInput): OutgoingMessage => ({
  body: input.MessageBody,
  attributes: input.MessageAttributes ?? {},
  traceHeader: input.MessageSystemAttributes?.["AWSTraceHeader"]?.StringValue ?? "",
});

const outgoing = Effect.fnUntraced(function* (
  input: SendInput,
): Effect.fn.Return<OutgoingMessage, AwsError> {
  const system = input.MessageSystemAttributes ?? {};
  const unknown = Object.keys(system).find((name) => name !== "AWSTraceHeader");
  if (unknown !== undefined) {
    return yield* invalidParameter(`Message system attribute name '${unknown}' is invalid.`);
  }
  const trace = system["AWSTraceHeader"];
  if (trace !== undefined && (trace.DataType !== "String" || !trace.StringValue)) {
    return yield* invalidParameter(
      "The message system attribute AWSTraceHeader must be a non-empty String.",
    );
  }
  return {
    body: input.MessageBody,
    attributes: input.MessageAttributes ?? {},
    ...(trace?.StringValue === undefined ? {} : { traceHeader: trace.StringValue }),
    ...(input.DelaySeconds === undefined ? {} : { delaySeconds: input.DelaySeconds }),
  };
});

const Names = Schema.optionalKey(Schema.Array(Schema.String));

const receiveOperations = (messages: Messages): JsonOperations => ({
  ReceiveMessage: operation(
    "ReceiveMessage",
    Schema.Struct({
      ...QueueUrl,
      AttributeNames: Names,
      MessageSystemAttributeNames: Names,
      MessageAttributeNames: Names,
      MaxNumberOfMessages: Schema.optionalKey(Schema.Int),
      VisibilityTimeout: Schema.optionalKey(Schema.Int),
      WaitTimeSeconds: Schema.optionalKey(Schema.Int),
    }),
    Effect.fnUntraced(function* (input) {
      const system = [
        ...(input.AttributeNames ?? []),
        ...(input.MessageSystemAttributeNames ?? []),
      ];
      const unknown = system.find((name) => !systemAttributeNames.has(name));
      if (unknown !== undefined) {
        return yield* sqsError("InvalidAttributeName", `Unknown Attribute ${unknown}.`);
      }
      const { MaxNumberOfMessages, VisibilityTimeout, WaitTimeSeconds } = input;
      const received = yield* messages.receive(input.QueueUrl, {
        ...(MaxNumberOfMessages === undefined ? {} : { max: MaxNumberOfMessages }),
        ...(VisibilityTimeout === undefined ? {} : { visibilitySeconds: VisibilityTimeout }),
        ...(WaitTimeSeconds === undefined ? {} : { waitSeconds: WaitTimeSeconds }),
      });
      const wanted = input.MessageAttributeNames ?? [];
      return received.length === 0
        ? {}
        : { Messages: received.map((message) => wireMessage(message, system, wanted)) };
    }),
  ),
});

const systemAttributeNames: ReadonlySet<string> = new Set([
  "All",
  "ApproximateFirstReceiveTimestamp",
  "ApproximateReceiveCount",
  "AWSTraceHeader",
  "DeadLetterQueueSourceArn",
  "MessageDeduplicationId",
  "MessageGroupId",
  "SenderId",
  "SentTimestamp",
  "SequenceNumber",
]);

const wireMessage = (
  message: ReceivedMessage,
  system: ReadonlyArray<string>,
  wanted: ReadonlyArray<string>,
) => {
  const attributes = selectAttributes(message.attributes, wanted);
  const md5 = md5OfAttributes(attributes);
  const systemAttributes = Object.entries(message.systemAttributes).filter(
    ([name]) => system.includes("All") || system.includes(name),
  );
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: message.md5OfBody,
    ...(systemAttributes.length === 0 ? {} : { Attributes: Object.fromEntries(systemAttributes) }),
    ...(md5 === undefined ? {} : { MessageAttributes: attributes, MD5OfMessageAttributes: md5 }),
  };
};

const settleOperations = (messages: Messages): JsonOperations => ({
  DeleteMessage: operation(
    "DeleteMessage",
    Schema.Struct({ ...QueueUrl, ReceiptHandle: Schema.String }),
    ({ QueueUrl, ReceiptHandle }) => messages.delete(QueueUrl, ReceiptHandle),
  ),
  DeleteMessageBatch: operation(
    "DeleteMessageBatch",
    Schema.Struct({
      ...QueueUrl,
      Entries: Schema.Array(Schema.Struct({ ...Entry, ReceiptHandle: Schema.String })),
    }),
    Effect.fnUntraced(function* ({ QueueUrl, Entries }) {
      yield* messages.need(QueueUrl);
      return yield* runBatch(Entries, undefined, ({ ReceiptHandle }) =>
        Effect.as(messages.delete(QueueUrl, ReceiptHandle), {}),
      );
    }),
  ),
  ChangeMessageVisibility: operation(
    "ChangeMessageVisibility",
    Schema.Struct({ ...QueueUrl, ...VisibilityFields }),
    ({ QueueUrl, ReceiptHandle, VisibilityTimeout }) =>
      messages.changeVisibility(QueueUrl, ReceiptHandle, VisibilityTimeout),
  ),
  ChangeMessageVisibilityBatch: operation(
    "ChangeMessageVisibilityBatch",
    Schema.Struct({
      ...QueueUrl,
      Entries: Schema.Array(
        Schema.Struct({
          ...Entry,
          ReceiptHandle: Schema.String,
          VisibilityTimeout: Schema.optionalKey(Schema.Int),
        }),
      ),
    }),
    Effect.fnUntraced(function* ({ QueueUrl, Entries }) {
      yield* messages.need(QueueUrl);
      return yield* runBatch(Entries, undefined, ({ ReceiptHandle, VisibilityTimeout = 0 }) =>
        Effect.as(messages.changeVisibility(QueueUrl, ReceiptHandle, VisibilityTimeout), {}),
      );
    }),
  ),
});
