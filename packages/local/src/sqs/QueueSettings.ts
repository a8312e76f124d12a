/**
 * The attributes of a queue that can be set: their ranges, defaults and what a change does.
 *
 * Source: SQS API reference, CreateQueue and SetQueueAttributes; message size since the limit became 1 MiB
 */
import { Effect, Option, Schema } from "effect";
import { type AwsError, unknownParameter } from "../AwsError.ts";
import { arnName } from "./QueueName.ts";
import { invalidValue, sqsError } from "./SqsErrors.ts";

/** The largest message and the largest batch. */
export const messageBytesMax = 1_048_576;
/** The longest time that a message stays invisible. */
export const visibilitySecondsMax = 43_200;
export const delaySecondsMax = 900;
export const waitSecondsMax = 20;
/** The largest maxReceiveCount of a redrive policy. */
const receivesMax = 1_000;

/** Name to value as the API shows it, for the attributes that are set. */
export type QueueSettings = Readonly<Record<string, string>>;

const ranges: Readonly<Record<string, readonly [min: number, max: number]>> = {
  DelaySeconds: [0, delaySecondsMax],
  MaximumMessageSize: [1_024, messageBytesMax],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, waitSecondsMax],
  VisibilityTimeout: [0, visibilitySecondsMax],
};

export const defaultSettings: QueueSettings = {
  DelaySeconds: "0",
  MaximumMessageSize: String(messageBytesMax),
  MessageRetentionPeriod: "345600",
  ReceiveMessageWaitTimeSeconds: "0",
  VisibilityTimeout: "30",
  SqsManagedSseEnabled: "true",
};

/** Attributes that AWS has and the embedded one does not: queues are standard and not encrypted with own keys. */
const refusedAttributes: ReadonlySet<string> = new Set([
  "FifoQueue",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
]);

const RedrivePolicy = Schema.Struct({
  deadLetterTargetArn: Schema.String,
  maxReceiveCount: Schema.Union([
    Schema.Int,
    Schema.FiniteFromString.pipe(Schema.check(Schema.isInt())),
  ]).pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: receivesMax }))),
});

const RedriveAllowPolicy = Schema.Struct({
  redrivePermission: Schema.Literals(["allowAll", "denyAll", "byQueue"]),
  sourceQueueArns: Schema.optionalKey(
    Schema.Array(Schema.String).pipe(Schema.check(Schema.isMaxLength(10))),
  ),
});

const strict = { onExcessProperty: "error" } as const;
const redriveJson = Schema.fromJsonString(RedrivePolicy);
const redriveAllowJson = Schema.fromJsonString(RedriveAllowPolicy);
const decodeRedrive = Schema.decodeOption(redriveJson);
const decodeRedriveAllow = Schema.decodeOption(redriveAllowJson);
const isJson = (text: string) =>
  Option.isSome(Schema.decodeOption(Schema.fromJsonString(Schema.Json))(text));

/** The redrive policy of a queue, when it has one. */
export const redriveOf = (settings: QueueSettings): typeof RedrivePolicy.Type | undefined =>
  Option.getOrUndefined(decodeRedrive(settings["RedrivePolicy"] ?? ""));

/** Whether the dead-letter queue with these settings accepts messages of `sourceArn`. */
export const allowsRedriveFrom = (settings: QueueSettings, sourceArn: string): boolean => {
  const policy = Option.getOrUndefined(decodeRedriveAllow(settings["RedriveAllowPolicy"] ?? ""));
  if (policy === undefined || policy.redrivePermission === "allowAll") return true;
  return (
    policy.redrivePermission === "byQueue" && (policy.sourceQueueArns ?? []).includes(sourceArn)
  );
};

/** Checks attributes one by one. An empty policy removes it. */
export const checkSettings = (
  operation: string,
  attributes: QueueSettings,
): Effect.Effect<void, AwsError> =>
  Effect.forEach(Object.entries(attributes), ([name, value]) => check(operation, name, value), {
    discard: true,
  });

const check = (operation: string, name: string, value: string): Effect.Effect<void, AwsError> => {
  const range = ranges[name];
  if (range !== undefined) return inRange(name, value, range);
  switch (name) {
    case "RedrivePolicy":
      return value === "" ? Effect.void : checkRedrivePolicy(value);
    case "RedriveAllowPolicy":
      return value === "" || validRedriveAllow(value) ? Effect.void : invalid(name);
    // Kept and shown; there are no principals here that it could shut out.
    case "Policy":
      return value === "" || isJson(value) ? Effect.void : invalid(name);
    case "SqsManagedSseEnabled":
      return value === "true" || value === "false" ? Effect.void : invalid(name);
    default:
      return Effect.fail(
        refusedAttributes.has(name)
          ? unknownParameter("SQS", operation, `Attributes.${name}`)
          : sqsError("InvalidAttributeName", `Unknown Attribute ${name}.`),
      );
  }
};

const inRange = (name: string, value: string, [min, max]: readonly [number, number]) =>
  /^[0-9]{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max
    ? Effect.void
    : invalid(name);

const invalid = (name: string) =>
  Effect.fail(sqsError("InvalidAttributeValue", `Invalid value for the parameter ${name}.`));

/** SQS says what is wrong with a redrive policy as with a parameter, not as with an attribute. */
const checkRedrivePolicy = (value: string): Effect.Effect<void, AwsError> => {
  const policy = Option.getOrUndefined(Schema.decodeOption(redriveJson)(value, strict));
  if (policy !== undefined && arnName(policy.deadLetterTargetArn) !== undefined) return Effect.void;
  const reason = isJson(value)
    ? `It needs deadLetterTargetArn, the ARN of a queue, and maxReceiveCount, from 1 to ${receivesMax} both inclusive, and nothing else.`
    : "Redrive policy is not a valid JSON map.";
  return Effect.fail(invalidValue("RedrivePolicy", value, reason));
};

const validRedriveAllow = (value: string): boolean => {
  const policy = Option.getOrUndefined(Schema.decodeOption(redriveAllowJson)(value, strict));
  if (policy === undefined) return false;
  const sources = policy.sourceQueueArns ?? [];
  return policy.redrivePermission === "byQueue" ? sources.length > 0 : sources.length === 0;
};

/** Settings after a change: an empty policy is gone. */
export const changedSettings = (before: QueueSettings, change: QueueSettings): QueueSettings =>
  Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ""));

/** A numeric setting in milliseconds. */
export const settingMs = (settings: QueueSettings, name: string): number =>
  Number(settings[name] ?? 0) * 1_000;

/** A whole number of seconds given with a request. */
export const checkSeconds = (
  parameter: string,
  seconds: number,
  max: number,
): Effect.Effect<void, AwsError> =>
  Number.isInteger(seconds) && seconds >= 0 && seconds <= max
    ? Effect.void
    : Effect.fail(
        invalidValue(parameter, String(seconds), `Must be >= 0 and <= ${max}, if provided.`),
      );
