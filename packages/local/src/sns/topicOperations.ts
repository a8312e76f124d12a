/**
 * The wire operations on topics. FIFO topics and encryption are refused by name.
 *
 * Source: SNS API reference 2010-03-31
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { localAccount } from "../LocalAccount.ts";
import { transaction } from "../sqlite.ts";
import { pageOf } from "./page.ts";
import { arnProblem, invalidParameter, snsOperation, unknownAttribute } from "./SnsErrors.ts";
import type { SnsState, Topic } from "./SnsState.ts";

const TopicArn = { TopicArn: Schema.String };
export const Attributes = Schema.optionalKey(
  Schema.Struct({
    entry: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String })),
  }),
);

/** Shown and kept. A policy has nobody to shut out here. */
const settable: ReadonlySet<string> = new Set(["DisplayName", "Policy"]);

/** What SNS can set on a topic and nobody here honours. */
const refused =
  /^(?:DeliveryPolicy|TracingConfig|KmsMasterKeyId|SignatureVersion|FifoTopic|FifoThroughputScope|ContentBasedDeduplication|ArchivePolicy|(?:HTTP|Firehose|Lambda|Application|SQS)(?:SuccessFeedback(?:RoleArn|SampleRate)|FailureFeedbackRoleArn))$/u;

const topicArn = (name: string): string =>
  `arn:aws:sns:${localAccount.region}:${localAccount.accountId}:${name}`;

export const topicOperations = (state: SnsState): JsonOperations => ({
  CreateTopic: snsOperation(
    "CreateTopic",
    Schema.Struct({ Name: Schema.String, Attributes }),
    Effect.fnUntraced(function* ({ Name, Attributes }) {
      const given = Attributes?.entry ?? [];
      yield* Effect.forEach(given, ({ key }) => checkAttribute("CreateTopic", key), {
        discard: true,
      });
      if (!/^[A-Za-z0-9_-]{1,256}$/.test(Name)) return yield* invalidParameter("Topic Name");
      const arn = topicArn(Name);
      const existing = state.topics.get(arn);
      if (existing === undefined) {
        state.topics.put(arn, {
          arn,
          attributes: Object.fromEntries(given.map(({ key, value }) => [key, value])),
        });
      } else if (given.some(({ key, value }) => (existing.attributes[key] ?? "") !== value)) {
        return yield* invalidParameter(
          "Attributes Reason: Topic already exists with different attributes",
        );
      }
      return { TopicArn: arn };
    }),
  ),
  DeleteTopic: snsOperation("DeleteTopic", Schema.Struct(TopicArn), ({ TopicArn }) =>
    Effect.suspend(() => {
      const problem = arnProblem("TopicArn", TopicArn);
      if (problem !== undefined) return Effect.fail(problem);
      transaction(state.database, () => {
        for (const { arn } of state.subscriptionsOf(TopicArn)) state.subscriptions.delete(arn);
        state.topics.delete(TopicArn);
      });
      return Effect.void;
    }),
  ),
  ListTopics: snsOperation(
    "ListTopics",
    Schema.Struct({ NextToken: Schema.optionalKey(Schema.String) }),
    ({ NextToken }) =>
      Effect.map(pageOf(state.topics.all(), NextToken), ({ items, next }) => ({
        Topics: { member: items.map(({ arn }) => ({ TopicArn: arn })) },
        ...next,
      })),
  ),
  GetTopicAttributes: snsOperation("GetTopicAttributes", Schema.Struct(TopicArn), ({ TopicArn }) =>
    Effect.map(state.needTopic(TopicArn), (topic) => ({
      Attributes: {
        entry: Object.entries(attributesOf(state, topic)).map(([key, value]) => ({ key, value })),
      },
    })),
  ),
  SetTopicAttributes: snsOperation(
    "SetTopicAttributes",
    Schema.Struct({
      ...TopicArn,
      AttributeName: Schema.String,
      AttributeValue: Schema.optionalKey(Schema.String),
    }),
    Effect.fnUntraced(function* ({ TopicArn, AttributeName, AttributeValue = "" }) {
      const topic = yield* state.needTopic(TopicArn);
      yield* checkAttribute("SetTopicAttributes", AttributeName);
      const attributes = { ...topic.attributes, [AttributeName]: AttributeValue };
      state.topics.put(TopicArn, { ...topic, attributes });
    }),
  ),
});

const checkAttribute = (operation: string, name: string): Effect.Effect<void, AwsError> =>
  settable.has(name)
    ? Effect.void
    : Effect.fail(unknownAttribute(operation, name, (known) => refused.test(known)));

const attributesOf = (
  state: SnsState,
  { arn, attributes }: Topic,
): Readonly<Record<string, string>> => ({
  DisplayName: "",
  Policy: defaultPolicy(arn),
  EffectiveDeliveryPolicy: defaultDeliveryPolicy,
  ...attributes,
  TopicArn: arn,
  Owner: localAccount.accountId,
  SubscriptionsConfirmed: String(state.subscriptionsOf(arn).length),
  SubscriptionsPending: "0",
  SubscriptionsDeleted: "0",
});

/** The policy that SNS gives a new topic: its owner may do everything. */
const defaultPolicy = (arn: string): string =>
  JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          "SNS:GetTopicAttributes",
          "SNS:SetTopicAttributes",
          "SNS:AddPermission",
          "SNS:RemovePermission",
          "SNS:DeleteTopic",
          "SNS:Subscribe",
          "SNS:ListSubscriptionsByTopic",
          "SNS:Publish",
        ],
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": localAccount.accountId } },
      },
    ],
  });

/** SNS's default for HTTP endpoints, of which there are none here. */
const defaultDeliveryPolicy = JSON.stringify({
  http: {
    defaultHealthyRetryPolicy: {
      minDelayTarget: 20,
      maxDelayTarget: 20,
      numRetries: 3,
      numMaxDelayRetries: 0,
      numNoDelayRetries: 0,
      numMinDelayRetries: 0,
      backoffFunction: "linear",
    },
    disableSubscriptionOverrides: false,
  },
});
