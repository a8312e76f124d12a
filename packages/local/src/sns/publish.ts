/**
 * Publishing: to every subscription whose filter lets the message through, as an envelope or raw. The message is in
 * the queues before the publisher gets its answer.
 *
 * Source: SNS developer guide, "Amazon SNS message and JSON formats", "Raw message delivery"
 */
import { Clock, Effect, Option, Schema } from "effect";
import { randomUUID } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import { localAccount } from "../LocalAccount.ts";
import {
  attributesBytes,
  checkAttributes,
  type MessageAttributes,
} from "../sqs/MessageAttributes.ts";
import type { Sqs } from "../sqs/Sqs.ts";
import { passesFilter } from "./FilterPolicy.ts";
import { invalidParameter, snsError } from "./SnsErrors.ts";
import type { SnsState, Subscription } from "./SnsState.ts";

/** The largest message with its attributes. Source: SNS API reference, Publish. */
export const publishBytesMax = 262_144;
const subjectCharactersMax = 100;
const attributesMax = 100;

export interface Publication {
  readonly message: string;
  readonly subject?: string;
  /** `json`: the message is an object with one text for each protocol, and `default`. */
  readonly structure?: string;
  readonly attributes?: MessageAttributes;
}

export const publicationBytes = ({ message, attributes = {} }: Publication): number =>
  Buffer.byteLength(message) + attributesBytes(attributes);

export const makePublish = (state: SnsState, sqs: Sqs["Service"]) =>
  Effect.fnUntraced(function* (topicArn: string, publication: Publication) {
    yield* state.needTopic(topicArn);
    yield* check(publication);
    const body = yield* bodyForQueues(publication);
    const messageId = randomUUID();
    const timestamp = new Date(yield* Clock.currentTimeMillis).toISOString();
    for (const subscription of state.subscriptionsOf(topicArn)) {
      const { attributes = {} } = publication;
      const { FilterPolicy = "", FilterPolicyScope } = subscription.attributes;
      const scope = FilterPolicyScope === "MessageBody" ? FilterPolicyScope : "MessageAttributes";
      if (passesFilter(FilterPolicy, scope, { body, attributes })) {
        const raw = subscription.attributes["RawMessageDelivery"] === "true";
        const message = raw
          ? { body, attributes }
          : {
              body: envelope(subscription, { ...publication, message: body }, messageId, timestamp),
            };
        yield* deliver(sqs, subscription, message);
      }
    }
    return { messageId };
  });

const check = Effect.fnUntraced(function* (
  publication: Publication,
): Effect.fn.Return<void, AwsError> {
  const { message, subject, structure, attributes = {} } = publication;
  if (message === "") return yield* invalidParameter("Empty message");
  if (subject !== undefined && !isSubject(subject)) return yield* invalidParameter("Subject");
  if (structure !== undefined && structure !== "json")
    return yield* invalidParameter("MessageStructure");
  if (publicationBytes(publication) > publishBytesMax)
    return yield* invalidParameter("Message too long");
  yield* checkAttributes(attributes, attributesMax).pipe(
    Effect.mapError(({ message }) => snsError("ParameterValueInvalid", message)),
  );
});

/** ASCII text that begins with a letter, number or mark, without line breaks. */
const isSubject = (subject: string): boolean =>
  subject.length <= subjectCharactersMax && /^[!-~][ -~]*$/.test(subject);

const decodeStructure = Schema.decodeOption(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)),
);

const bodyForQueues = ({ message, structure }: Publication): Effect.Effect<string, AwsError> => {
  if (structure === undefined) return Effect.succeed(message);
  const texts = Option.getOrUndefined(decodeStructure(message));
  if (texts === undefined) {
    return Effect.fail(invalidParameter("Message Structure - JSON message body failed to parse"));
  }
  const { default: fallback, sqs } = texts;
  if (typeof fallback !== "string") {
    return Effect.fail(
      invalidParameter("Message Structure - No default entry in JSON message body"),
    );
  }
  return Effect.succeed(typeof sqs === "string" ? sqs : fallback);
};

const envelope = (
  { arn, topicArn }: Subscription,
  { message, subject, attributes = {} }: Publication,
  messageId: string,
  timestamp: string,
): string => {
  const origin = `https://sns.${localAccount.region}.amazonaws.com`;
  const entries = Object.entries(attributes).map(([name, attribute]) => [
    name,
    { Type: attribute.DataType, Value: attribute.StringValue ?? attribute.BinaryValue },
  ]);
  return JSON.stringify({
    Type: "Notification",
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject === undefined ? {} : { Subject: subject }),
    Message: message,
    Timestamp: timestamp,
    SignatureVersion: "1",
    // The embedded AWS has no certificate: the fields are there, a verification of them fails.
    Signature: Buffer.from("not signed: embedded AWS").toString("base64"),
    SigningCertURL: `${origin}/SimpleNotificationService-embedded.pem`,
    UnsubscribeURL: `${origin}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
    ...(entries.length === 0 ? {} : { MessageAttributes: Object.fromEntries(entries) }),
  });
};

/** What a queue does not take goes to the subscription's dead-letter queue, or is dropped with a warning. */
const deliver = (
  sqs: Sqs["Service"],
  { arn, endpoint, attributes }: Subscription,
  message: { readonly body: string; readonly attributes?: MessageAttributes },
): Effect.Effect<void> =>
  sqs.send(endpoint, message).pipe(
    Effect.catch((error) => {
      const policy = Option.getOrUndefined(decodeRedrive(attributes["RedrivePolicy"] ?? ""));
      return policy === undefined
        ? Effect.fail(error)
        : sqs.send(policy.deadLetterTargetArn, message);
    }),
    Effect.catch(({ message }) =>
      Effect.logWarning(`${arn}: a notification is dropped: ${message}`),
    ),
    Effect.asVoid,
  );

export const decodeRedrive = Schema.decodeOption(
  Schema.fromJsonString(Schema.Struct({ deadLetterTargetArn: Schema.String })),
);
