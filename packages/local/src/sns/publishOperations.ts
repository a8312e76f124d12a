/**
 * The wire operations Publish and PublishBatch.
 *
 * Source: SNS API reference 2010-03-31
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { runBatch } from "../sqs/batch.ts";
import { MessageAttribute } from "../sqs/MessageAttributes.ts";
import { publicationBytes, publishBytesMax, type Publication } from "./publish.ts";
import { invalidParameter, snsError, snsOperation } from "./SnsErrors.ts";
import type { SnsState } from "./SnsState.ts";

const optional = Schema.optionalKey(Schema.String);
const PublishFields = {
  Message: Schema.String,
  Subject: optional,
  MessageStructure: optional,
  MessageAttributes: Schema.optionalKey(
    Schema.Struct({
      entry: Schema.Array(Schema.Struct({ Name: Schema.String, Value: MessageAttribute })),
    }),
  ),
};
const PublishInput = Schema.Struct(PublishFields);
type Publish = (
  topicArn: string,
  publication: Publication,
) => Effect.Effect<{ readonly messageId: string }, AwsError>;

export const publishOperations = (state: SnsState, publish: Publish): JsonOperations => ({
  Publish: snsOperation(
    "Publish",
    Schema.Struct({ TopicArn: optional, TargetArn: optional, ...PublishFields }),
    ({ TopicArn, TargetArn, ...input }) => {
      const topic = TopicArn ?? TargetArn;
      return topic === undefined
        ? Effect.fail(
            invalidParameter("TopicArn or TargetArn Reason: no value for required parameter"),
          )
        : Effect.map(publish(topic, publicationOf(input)), ({ messageId }) => ({
            MessageId: messageId,
          }));
    },
  ),
  PublishBatch: snsOperation(
    "PublishBatch",
    Schema.Struct({
      TopicArn: Schema.String,
      // An empty list arrives as an empty value.
      PublishBatchRequestEntries: Schema.Union([
        Schema.Struct({
          member: Schema.Array(Schema.Struct({ Id: Schema.String, ...PublishFields })),
        }),
        Schema.Literal(""),
      ]),
    }),
    Effect.fnUntraced(function* ({ TopicArn, PublishBatchRequestEntries }) {
      yield* state.needTopic(TopicArn);
      const entries = PublishBatchRequestEntries === "" ? [] : PublishBatchRequestEntries.member;
      const bytes = entries.reduce((sum, entry) => sum + publicationBytes(publicationOf(entry)), 0);
      const tooLong = snsError(
        "BatchRequestTooLong",
        "The length of all the batch messages put together is more than the limit.",
      );
      const { Successful = [], Failed = [] } = yield* runBatch(
        entries,
        bytes > publishBytesMax ? tooLong : undefined,
        (entry) =>
          Effect.map(publish(TopicArn, publicationOf(entry)), ({ messageId }) => ({
            MessageId: messageId,
          })),
      );
      return { Successful: { member: Successful }, Failed: { member: Failed } };
    }),
  ),
});

const publicationOf = (input: typeof PublishInput.Type): Publication => ({
  message: input.Message,
  ...(input.Subject === undefined ? {} : { subject: input.Subject }),
  ...(input.MessageStructure === undefined ? {} : { structure: input.MessageStructure }),
  attributes: Object.fromEntries(
    (input.MessageAttributes?.entry ?? []).map(({ Name, Value }) => [Name, Value]),
  ),
});
