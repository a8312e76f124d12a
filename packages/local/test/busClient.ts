/**
 * Unmodified EventBridge, SNS and SQS clients over fresh services that share one state, and calls that tests repeat.
 */
import * as Events from "@aws-sdk/client-eventbridge";
import { SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Effect, Layer } from "effect";
import { TestClock } from "effect/testing";
import { EventBridge } from "../src/eventbridge/EventBridge.ts";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { queryProtocol } from "../src/http/queryProtocol.ts";
import { Sns } from "../src/sns/Sns.ts";
import { Sqs } from "../src/sqs/Sqs.ts";
import { sqsQueryCode } from "../src/sqs/SqsErrors.ts";
import { call, clientConfiguration, freshState } from "./inProcess.ts";

export const services = EventBridge.layer.pipe(
  Layer.provideMerge(Sns.layer),
  Layer.provideMerge(Sqs.layer),
);

/** Each test has its own world. */
export const world = services.pipe(Layer.provide(freshState));

export const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
export const eventsArn = (rest: string) => `arn:aws:events:us-east-1:000000000000:${rest}`;

export const connect = Effect.gen(function* () {
  const sqs = yield* Sqs;
  const sqsClient = new SQSClient(
    yield* clientConfiguration(
      jsonProtocol({
        service: "SQS",
        targetPrefix: "AmazonSQS",
        version: "1.0",
        operations: sqs.operations,
        queryErrorCode: sqsQueryCode,
      }),
    ),
  );
  const events = new Events.EventBridgeClient(
    yield* clientConfiguration(
      jsonProtocol({
        service: "EventBridge",
        targetPrefix: "AWSEvents",
        version: "1.1",
        operations: (yield* EventBridge).operations,
      }),
    ),
  );
  const sns = new SNSClient(
    yield* clientConfiguration(
      queryProtocol({
        service: "SNS",
        version: "2010-03-31",
        namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
        operations: (yield* Sns).operations,
      }),
    ),
  );
  const createQueue = (QueueName: string) =>
    call(() => sqsClient.send(new CreateQueueCommand({ QueueName })));
  /** Lets the delivery worker run, then empties a queue. */
  const drain = Effect.fnUntraced(function* (queue: string) {
    yield* TestClock.adjust(1);
    return yield* sqs.receive(queue, { max: 10 });
  });
  const rule = Effect.fnUntraced(function* (
    Name: string,
    pattern: unknown,
    Targets: Array<Events.Target>,
    EventBusName = "default",
  ) {
    const EventPattern = JSON.stringify(pattern);
    yield* call(() => events.send(new Events.PutRuleCommand({ Name, EventPattern, EventBusName })));
    yield* call(() =>
      events.send(new Events.PutTargetsCommand({ Rule: Name, EventBusName, Targets })),
    );
  });
  const put = (...Entries: Array<Partial<Events.PutEventsRequestEntry>>) =>
    call(() =>
      events.send(
        new Events.PutEventsCommand({
          Entries: Entries.map((entry) =>
            Object.assign({ Source: "acme", DetailType: "Made", Detail: "{}" }, entry),
          ),
        }),
      ),
    );
  return { sqs, events, sns, createQueue, drain, rule, put };
});

/** The value below some keys of a JSON text. */
export const field = (text: string | undefined, ...keys: ReadonlyArray<string>): unknown =>
  keys.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined,
    JSON.parse(text ?? "null"),
  );
