/**
 * Everything that SNS knows: topics and their subscriptions.
 */
import { Effect, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { AwsError } from "../AwsError.ts";
import { Documents } from "../Documents.ts";
import { arnProblem, subscriptionNotFound, topicNotFound } from "./SnsErrors.ts";

const Texts = Schema.Record(Schema.String, Schema.String);
const Topic = Schema.Struct({ arn: Schema.String, attributes: Texts });
export type Topic = typeof Topic.Type;

const Subscription = Schema.Struct({
  arn: Schema.String,
  topicArn: Schema.String,
  /** The ARN of an SQS queue: the only protocol here. */
  endpoint: Schema.String,
  attributes: Texts,
});
export type Subscription = typeof Subscription.Type;

export class SnsState {
  readonly database: DatabaseSync;
  readonly topics: Documents<Topic>;
  readonly subscriptions: Documents<Subscription>;

  constructor(database: DatabaseSync) {
    const table = "sns_documents";
    this.database = database;
    this.topics = new Documents(database, { table, kind: "topic" }, Topic);
    this.subscriptions = new Documents(database, { table, kind: "subscription" }, Subscription);
  }

  needTopic(arn: string): Effect.Effect<Topic, AwsError> {
    const topic = this.topics.get(arn);
    return topic === undefined
      ? Effect.fail(arnProblem("TopicArn", arn) ?? topicNotFound())
      : Effect.succeed(topic);
  }

  needSubscription(arn: string): Effect.Effect<Subscription, AwsError> {
    const subscription = this.subscriptions.get(arn);
    return subscription === undefined
      ? Effect.fail(arnProblem("SubscriptionArn", arn) ?? subscriptionNotFound())
      : Effect.succeed(subscription);
  }

  subscriptionsOf(topicArn: string): ReadonlyArray<Subscription> {
    return this.subscriptions.all().filter((subscription) => subscription.topicArn === topicArn);
  }
}
