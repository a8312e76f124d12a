/**
 * The wire operations on queues themselves.
 *
 * Source: SQS API reference 2012-11-05
 */
import { Clock, Effect, Schema } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { operationsOf } from "../http/operation.ts";
import { RequestOrigin } from "../http/RequestOrigin.ts";
import { localAccount } from "../LocalAccount.ts";
import { transaction } from "../sqlite.ts";
import { isQueueName, queueArn, queueUrl } from "./QueueName.ts";
import { changedSettings, checkSettings, defaultSettings } from "./QueueSettings.ts";
import type { Queue } from "./QueueStore.ts";
import {
  inputProblem,
  invalidParameter,
  invalidValue,
  queueDoesNotExist,
  sqsError,
} from "./SqsErrors.ts";
import type { SqsState } from "./SqsState.ts";
import { pageOf } from "./pageOf.ts";

/** How long after a deletion the name cannot be used, and how long after a purge none may be asked for. */
const graceMs = 60_000;
const tagsMax = 50;

const Texts = Schema.Record(Schema.String, Schema.String);
const QueueUrl = { QueueUrl: Schema.String };
const Paging = {
  MaxResults: Schema.optionalKey(Schema.Int),
  NextToken: Schema.optionalKey(Schema.String),
};
const operation = operationsOf("SQS", inputProblem);

export const queueOperations = (state: SqsState): JsonOperations => ({
  ...findOperations(state),
  ...lifeOperations(state),
  ...settingOperations(state),
  ...tagOperations(state),
});

const lifeOperations = (state: SqsState): JsonOperations => ({
  CreateQueue: operation(
    "CreateQueue",
    Schema.Struct({
      QueueName: Schema.String,
      Attributes: Schema.optionalKey(Texts),
      tags: Schema.optionalKey(Texts),
    }),
    ({ QueueName, Attributes = {}, tags = {} }) => createQueue(state, QueueName, Attributes, tags),
  ),
  DeleteQueue: operation(
    "DeleteQueue",
    Schema.Struct(QueueUrl),
    Effect.fnUntraced(function* ({ QueueUrl }) {
      const { name } = yield* state.need(QueueUrl);
      const nowMs = yield* Clock.currentTimeMillis;
      transaction(state.database, () => {
        state.messages.clear(name);
        state.queues.delete(name, nowMs);
      });
      state.arrivals.notify(name);
    }),
  ),
  PurgeQueue: operation(
    "PurgeQueue",
    Schema.Struct(QueueUrl),
    Effect.fnUntraced(function* ({ QueueUrl }) {
      const queue = yield* state.need(QueueUrl);
      const nowMs = yield* Clock.currentTimeMillis;
      if (queue.purgedMs !== undefined && nowMs - queue.purgedMs < graceMs) {
        return yield* sqsError(
          "PurgeQueueInProgress",
          `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
          403,
        );
      }
      state.messages.clear(queue.name);
      state.queues.put({ ...queue, purgedMs: nowMs });
    }),
  ),
});

const findOperations = (state: SqsState): JsonOperations => ({
  GetQueueUrl: operation(
    "GetQueueUrl",
    Schema.Struct({
      QueueName: Schema.String,
      QueueOwnerAWSAccountId: Schema.optionalKey(Schema.String),
    }),
    Effect.fnUntraced(function* ({ QueueName, QueueOwnerAWSAccountId }) {
      if (
        QueueOwnerAWSAccountId !== undefined &&
        QueueOwnerAWSAccountId !== localAccount.accountId
      ) {
        return yield* queueDoesNotExist();
      }
      const { name } = yield* state.need(QueueName);
      return { QueueUrl: queueUrl(yield* RequestOrigin, name) };
    }),
  ),
  ListQueues: operation(
    "ListQueues",
    Schema.Struct({ QueueNamePrefix: Schema.optionalKey(Schema.String), ...Paging }),
    Effect.fnUntraced(function* ({ QueueNamePrefix = "", MaxResults, NextToken }) {
      const origin = yield* RequestOrigin;
      const names = state.queues.all().map(({ name }) => name);
      const page = yield* pageOf(
        names.filter((name) => name.startsWith(QueueNamePrefix)),
        MaxResults,
        NextToken,
      );
      return { QueueUrls: page.items.map((name) => queueUrl(origin, name)), ...page.next };
    }),
  ),
  ListDeadLetterSourceQueues: operation(
    "ListDeadLetterSourceQueues",
    Schema.Struct({ ...QueueUrl, ...Paging }),
    Effect.fnUntraced(function* ({ QueueUrl, MaxResults, NextToken }) {
      const origin = yield* RequestOrigin;
      const names = state.sourcesOf(yield* state.need(QueueUrl)).map(({ name }) => name);
      const page = yield* pageOf(names, MaxResults, NextToken);
      return { queueUrls: page.items.map((name) => queueUrl(origin, name)), ...page.next };
    }),
  ),
});

const createQueue = Effect.fnUntraced(function* (
  state: SqsState,
  name: string,
  attributes: Readonly<Record<string, string>>,
  tags: Readonly<Record<string, string>>,
) {
  yield* checkSettings("CreateQueue", attributes);
  if (!isQueueName(name)) {
    return yield* invalidParameter(
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
    );
  }
  yield* state.checkRedrive(name, attributes);
  const nowMs = yield* Clock.currentTimeMillis;
  const existing = state.queues.get(name);
  if (existing === undefined) {
    const deletedMs = state.queues.deletedMs(name);
    if (deletedMs !== undefined && nowMs - deletedMs < graceMs) {
      return yield* sqsError(
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
      );
    }
    const settings = changedSettings(defaultSettings, attributes);
    const purgedMs = undefined;
    state.queues.put({ name, settings, tags, createdMs: nowMs, modifiedMs: nowMs, purgedMs });
  } else {
    const different = Object.entries(attributes).find(
      ([attribute, value]) => (existing.settings[attribute] ?? "") !== value,
    );
    if (different !== undefined) {
      return yield* sqsError(
        "QueueNameExists",
        `A queue already exists with the same name and a different value for attribute ${different[0]}`,
      );
    }
  }
  return { QueueUrl: queueUrl(yield* RequestOrigin, name) };
});

const settingOperations = (state: SqsState): JsonOperations => ({
  GetQueueAttributes: operation(
    "GetQueueAttributes",
    Schema.Struct({ ...QueueUrl, AttributeNames: Schema.optionalKey(Schema.Array(Schema.String)) }),
    Effect.fnUntraced(function* ({ QueueUrl, AttributeNames = [] }) {
      const queue = yield* state.need(QueueUrl);
      const nowMs = yield* Clock.currentTimeMillis;
      const unknown = AttributeNames.find((name) => name !== "All" && !attributeNames.has(name));
      if (unknown !== undefined) {
        return yield* sqsError("InvalidAttributeName", `Unknown Attribute ${unknown}.`);
      }
      const all = Object.entries(attributesOf(state, queue, nowMs));
      const asked = AttributeNames.includes("All")
        ? all
        : all.filter(([name]) => AttributeNames.includes(name));
      return asked.length === 0 ? {} : { Attributes: Object.fromEntries(asked) };
    }),
  ),
  SetQueueAttributes: operation(
    "SetQueueAttributes",
    Schema.Struct({ ...QueueUrl, Attributes: Texts }),
    Effect.fnUntraced(function* ({ QueueUrl, Attributes }) {
      const queue = yield* state.need(QueueUrl);
      yield* checkSettings("SetQueueAttributes", Attributes);
      yield* state.checkRedrive(queue.name, Attributes);
      const modifiedMs = yield* Clock.currentTimeMillis;
      const settings = changedSettings(queue.settings, Attributes);
      state.queues.put({ ...queue, settings, modifiedMs });
      state.arrivals.notify(queue.name);
    }),
  ),
});

/** Names that GetQueueAttributes knows, also those that a standard queue never has a value for. */
const attributeNames: ReadonlySet<string> = new Set([
  ...Object.keys(defaultSettings),
  "Policy",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "QueueArn",
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
  "CreatedTimestamp",
  "LastModifiedTimestamp",
  "FifoQueue",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
]);

const seconds = (ms: number): string => String(Math.floor(ms / 1_000));

const attributesOf = (
  state: SqsState,
  queue: Queue,
  nowMs: number,
): Readonly<Record<string, string>> => {
  state.expire(queue, nowMs);
  const { visible, inFlight, delayed } = state.messages.counts(queue.name, nowMs);
  return {
    ...queue.settings,
    QueueArn: queueArn(queue.name),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: seconds(queue.createdMs),
    LastModifiedTimestamp: seconds(queue.modifiedMs),
  };
};

const tagOperations = (state: SqsState): JsonOperations => ({
  TagQueue: operation(
    "TagQueue",
    Schema.Struct({ ...QueueUrl, Tags: Texts }),
    Effect.fnUntraced(function* ({ QueueUrl, Tags }) {
      const queue = yield* state.need(QueueUrl);
      const tags = { ...queue.tags, ...Tags };
      if (Object.keys(tags).length > tagsMax) {
        return yield* invalidValue(
          "Tags",
          String(Object.keys(tags).length),
          `At most ${tagsMax} tags.`,
        );
      }
      state.queues.put({ ...queue, tags });
    }),
  ),
  UntagQueue: operation(
    "UntagQueue",
    Schema.Struct({ ...QueueUrl, TagKeys: Schema.Array(Schema.String) }),
    Effect.fnUntraced(function* ({ QueueUrl, TagKeys }) {
      const queue = yield* state.need(QueueUrl);
      const kept = Object.entries(queue.tags).filter(([key]) => !TagKeys.includes(key));
      state.queues.put({ ...queue, tags: Object.fromEntries(kept) });
    }),
  ),
  ListQueueTags: operation(
    "ListQueueTags",
    Schema.Struct(QueueUrl),
    Effect.fnUntraced(function* ({ QueueUrl }) {
      const { tags } = yield* state.need(QueueUrl);
      return Object.keys(tags).length === 0 ? {} : { Tags: tags };
    }),
  ),
});
