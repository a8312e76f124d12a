/**
 * The wire operations on subscriptions: queues only; other protocols are refused by name.
 *
 * Source: SNS API reference 2010-03-31, Subscribe
 */
import { Effect, Option, Schema } from "effect";
import { randomUUID } from "node:crypto";
import { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { localAccount } from "../LocalAccount.ts";
import { arnName } from "../sqs/QueueName.ts";
import { checkFilterPolicy } from "./FilterPolicy.ts";
import { pageOf } from "./page.ts";
import { decodeRedrive } from "./publish.ts";
import { arnProblem, invalidParameter, snsOperation, unknownAttribute } from "./SnsErrors.ts";
import type { SnsState, Subscription } from "./SnsState.ts";
import { Attributes } from "./topicOperations.ts";

const optional = Schema.optionalKey(Schema.String);
const SubscriptionArn = { SubscriptionArn: Schema.String };

const Subscribe = Schema.Struct({
  TopicArn: Schema.String,
  Protocol: Schema.String,
  Endpoint: optional,
  Attributes,
  ReturnSubscriptionArn: optional,
});

/** What SNS can set on a subscription and nobody here honours. */
const refused: ReadonlySet<string> = new Set([
  "DeliveryPolicy",
  "SubscriptionRoleArn",
  "ReplayPolicy",
  "ReplayStatus",
]);
const refusedProtocols: ReadonlySet<string> = new Set([
  "application",
  "email",
  "email-json",
  "firehose",
  "http",
  "https",
  "lambda",
  "sms",
]);

export const subscriptionOperations = (state: SnsState): JsonOperations => ({
  Subscribe: snsOperation("Subscribe", Subscribe, (input) => subscribe(state, input)),
  Unsubscribe: snsOperation(
    "Unsubscribe",
    Schema.Struct(SubscriptionArn),
    Effect.fnUntraced(function* ({ SubscriptionArn }) {
      const problem = arnProblem("SubscriptionArn", SubscriptionArn);
      if (problem !== undefined) return yield* problem;
      state.subscriptions.delete(SubscriptionArn);
    }),
  ),
  ListSubscriptions: snsOperation(
    "ListSubscriptions",
    Schema.Struct({ NextToken: optional }),
    ({ NextToken }) => wirePage(state.subscriptions.all(), NextToken),
  ),
  ListSubscriptionsByTopic: snsOperation(
    "ListSubscriptionsByTopic",
    Schema.Struct({ TopicArn: Schema.String, NextToken: optional }),
    ({ TopicArn, NextToken }) =>
      Effect.flatMap(state.needTopic(TopicArn), ({ arn }) =>
        wirePage(state.subscriptionsOf(arn), NextToken),
      ),
  ),
  GetSubscriptionAttributes: snsOperation(
    "GetSubscriptionAttributes",
    Schema.Struct(SubscriptionArn),
    ({ SubscriptionArn }) =>
      Effect.map(state.needSubscription(SubscriptionArn), (subscription) => ({
        Attributes: {
          entry: Object.entries(attributesOf(subscription)).map(([key, value]) => ({ key, value })),
        },
      })),
  ),
  SetSubscriptionAttributes: snsOperation(
    "SetSubscriptionAttributes",
    Schema.Struct({ ...SubscriptionArn, AttributeName: Schema.String, AttributeValue: optional }),
    Effect.fnUntraced(function* ({ SubscriptionArn, AttributeName, AttributeValue = "" }) {
      const subscription = yield* state.needSubscription(SubscriptionArn);
      const attributes = kept({ ...subscription.attributes, [AttributeName]: AttributeValue });
      yield* checkAttributes("SetSubscriptionAttributes", AttributeName, attributes);
      state.subscriptions.put(SubscriptionArn, { ...subscription, attributes });
    }),
  ),
});

const subscribe = Effect.fnUntraced(function* (state: SnsState, input: typeof Subscribe.Type) {
  const { TopicArn, Protocol, Endpoint = "" } = input;
  if (Protocol !== "sqs" && !refusedProtocols.has(Protocol)) {
    return yield* invalidParameter(
      `Amazon SNS does not support this protocol string: ${Protocol.slice(0, 100)}`,
    );
  }
  if (Protocol !== "sqs") {
    return yield* new AwsError({
      code: "NotImplemented",
      message: `SNS: protocol ${Protocol} of Subscribe is not implemented by the embedded AWS (only sqs is)`,
      status: 501,
    });
  }
  const given = input.Attributes?.entry ?? [];
  const attributes = kept(Object.fromEntries(given.map(({ key, value }) => [key, value])));
  for (const { key } of given) yield* checkAttributes("Subscribe", key, attributes);
  yield* state.needTopic(TopicArn);
  if (arnName(Endpoint) === undefined) return yield* invalidParameter("SQS endpoint ARN");
  const existing = state.subscriptionsOf(TopicArn).find(({ endpoint }) => endpoint === Endpoint);
  if (existing !== undefined) {
    if (given.some(({ key, value }) => (existing.attributes[key] ?? "") !== value)) {
      return yield* invalidParameter(
        "Attributes Reason: Subscription already exists with different attributes",
      );
    }
    return { SubscriptionArn: existing.arn };
  }
  const arn = `${TopicArn}:${randomUUID()}`;
  state.subscriptions.put(arn, { arn, topicArn: TopicArn, endpoint: Endpoint, attributes });
  return { SubscriptionArn: arn };
});

/** Without the attributes that were set to nothing. */
const kept = (attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));

/** Checks the attribute `name` in the light of all that will be set. */
const checkAttributes = (
  operation: string,
  name: string,
  attributes: Readonly<Record<string, string>>,
): Effect.Effect<void, AwsError> => {
  const value = attributes[name];
  const { FilterPolicy = "", FilterPolicyScope = "MessageAttributes", RedrivePolicy } = attributes;
  switch (name) {
    case "RawMessageDelivery":
      return value === undefined || value === "true" || value === "false"
        ? Effect.void
        : Effect.fail(
            invalidParameter(
              `Attributes Reason: RawMessageDelivery: Invalid value [${value}]. Must be true or false.`,
            ),
          );
    case "FilterPolicy":
    case "FilterPolicyScope":
      return FilterPolicyScope === "MessageAttributes" || FilterPolicyScope === "MessageBody"
        ? checkFilterPolicy(FilterPolicy, FilterPolicyScope)
        : Effect.fail(
            invalidParameter(
              `FilterPolicyScope: Invalid value [${FilterPolicyScope}]. Please use either MessageBody or MessageAttributes`,
            ),
          );
    case "RedrivePolicy": {
      const policy = Option.getOrUndefined(decodeRedrive(RedrivePolicy ?? ""));
      return value === undefined || arnName(policy?.deadLetterTargetArn ?? "") !== undefined
        ? Effect.void
        : Effect.fail(invalidParameter("RedrivePolicy: deadLetterTargetArn is an invalid arn"));
    }
    default:
      return Effect.fail(unknownAttribute(operation, name, (known) => refused.has(known)));
  }
};

const wirePage = (subscriptions: ReadonlyArray<Subscription>, token: string | undefined) =>
  Effect.map(pageOf(subscriptions, token), ({ items, next }) => ({
    Subscriptions: { member: items.map(wireSubscription) },
    ...next,
  }));

const wireSubscription = ({ arn, topicArn, endpoint }: Subscription) => ({
  SubscriptionArn: arn,
  Owner: localAccount.accountId,
  Protocol: "sqs",
  Endpoint: endpoint,
  TopicArn: topicArn,
});

const attributesOf = (subscription: Subscription): Readonly<Record<string, string>> => ({
  RawMessageDelivery: "false",
  ...(subscription.attributes["FilterPolicy"] === undefined
    ? {}
    : { FilterPolicyScope: "MessageAttributes" }),
  ...subscription.attributes,
  ...wireSubscription(subscription),
  ConfirmationWasAuthenticated: "true",
  PendingConfirmation: "false",
});
