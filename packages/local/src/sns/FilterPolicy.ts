/**
 * Subscription filter policies: the language of event patterns, over the message's attributes or its JSON body.
 *
 * Source: SNS developer guide, "Amazon SNS subscription filter policies"
 */
import { EventPattern } from "@millrace/core";
import { Effect, Exit, Option, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { MessageAttributes } from "../sqs/MessageAttributes.ts";
import { invalidParameter } from "./SnsErrors.ts";

export type FilterScope = "MessageAttributes" | "MessageBody";

/** Fields that a policy may name. */
const fieldsMax = 5;

const decodePolicy = Schema.decodeOption(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)),
);

/** `{}` is the policy that lets everything through. */
const isEmpty = (policy: string): boolean => /^\s*\{\s*\}\s*$/.test(policy);

/** Fails: InvalidParameter, as Subscribe does. */
export const checkFilterPolicy = (
  policy: string,
  scope: FilterScope,
): Effect.Effect<void, AwsError> => {
  if (policy === "" || isEmpty(policy)) return Effect.void;
  const fields = Option.getOrUndefined(decodePolicy(policy));
  if (fields === undefined) {
    return Effect.fail(invalidParameter("FilterPolicy: failed to parse JSON."));
  }
  if (Object.keys(fields).length > fieldsMax) {
    return Effect.fail(
      invalidParameter(`FilterPolicy: Filter policy can not have more than ${fieldsMax} keys`),
    );
  }
  const isNested = Object.values(fields).some(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  );
  if (scope === "MessageAttributes" && isNested) {
    return Effect.fail(
      invalidParameter(
        "Filter policy scope MessageAttributes does not support nested filter policy",
      ),
    );
  }
  return EventPattern.compile(policy).pipe(
    Effect.mapError(({ message }) => invalidParameter(`FilterPolicy: ${message}`)),
    Effect.asVoid,
  );
};

const patterns = new Map<string, EventPattern.EventPattern | undefined>();

/** Whether a message passes a stored policy. */
export const passesFilter = (
  policy: string,
  scope: FilterScope,
  message: { readonly body: string; readonly attributes: MessageAttributes },
): boolean => {
  if (policy === "" || isEmpty(policy)) return true;
  if (!patterns.has(policy)) {
    const compiled = Effect.runSyncExit(EventPattern.compile(policy));
    patterns.set(policy, Exit.isSuccess(compiled) ? compiled.value : undefined);
  }
  const event = scope === "MessageBody" ? message.body : attributesAsEvent(message.attributes);
  return patterns.get(policy)?.matches(event) ?? false;
};

/** Attributes as the event that a pattern sees: numbers unquoted, arrays as they are, binary values not at all. */
const attributesAsEvent = (attributes: MessageAttributes): string => {
  const fields = Object.entries(attributes).flatMap(([name, { DataType, StringValue = "" }]) => {
    if (DataType.startsWith("Binary")) return [];
    const isJson = DataType.startsWith("Number") || DataType === "String.Array";
    return [
      `${JSON.stringify(name)}:${isJson ? jsonOf(StringValue) : JSON.stringify(StringValue)}`,
    ];
  });
  return `{${fields.join(",")}}`;
};

/** `+5` and `.5` are numbers to SNS but not to JSON. */
const jsonOf = (text: string): string => {
  if (Option.isSome(Schema.decodeOption(Schema.fromJsonString(Schema.Json))(text))) return text;
  const value = Number(text);
  return Number.isFinite(value) && text.trim() !== ""
    ? JSON.stringify(value)
    : JSON.stringify(text);
};
