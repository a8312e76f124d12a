/**
 * An unmodified SQS client over a fresh service, and the few calls that every test makes.
 */
import * as Sdk from "@aws-sdk/client-sqs";
import { Effect, Layer } from "effect";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { Sqs } from "../src/sqs/Sqs.ts";
import { sqsQueryCode } from "../src/sqs/SqsErrors.ts";
import { call, clientConfiguration, freshState } from "./inProcess.ts";

export const service = Sqs.layer.pipe(Layer.provide(freshState));

export const connect = Effect.gen(function* () {
  const { operations } = yield* Sqs;
  const handler = jsonProtocol({
    service: "SQS",
    targetPrefix: "AmazonSQS",
    version: "1.0",
    operations,
    queryErrorCode: sqsQueryCode,
  });
  const client = new Sdk.SQSClient(yield* clientConfiguration(handler));
  const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
    Effect.map(
      call(() => client.send(new Sdk.CreateQueueCommand({ QueueName, Attributes }))),
      ({ QueueUrl = "" }) => QueueUrl,
    );
  const send = (
    QueueUrl: string,
    MessageBody: string,
    more: Partial<Sdk.SendMessageCommandInput> = {},
  ) => call(() => client.send(new Sdk.SendMessageCommand({ QueueUrl, MessageBody, ...more })));
  const receive = (QueueUrl: string, more: Partial<Sdk.ReceiveMessageCommandInput> = {}) =>
    Effect.map(
      call(() =>
        client.send(
          new Sdk.ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            MessageSystemAttributeNames: ["All"],
            MessageAttributeNames: ["All"],
            ...more,
          }),
        ),
      ),
      ({ Messages = [] }) => Messages,
    );
  const attributes = (QueueUrl: string) =>
    Effect.map(
      call(() =>
        client.send(new Sdk.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] })),
      ),
      ({ Attributes = {} }) => Attributes,
    );
  return { client, create, send, receive, attributes };
});

export const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
export const bodies = (messages: ReadonlyArray<Sdk.Message>) => messages.map(({ Body }) => Body);
