/**
 * The errors of EventBridge in its own words.
 */
import { AwsError } from "../AwsError.ts";
import { operationsOf } from "../http/operation.ts";

const eventError = (code: string, message: string): AwsError =>
  new AwsError({ code, message, status: 400 });

export const invalidEvent = (message: string): AwsError =>
  eventError("ValidationException", message);

export const notFound = (message: string): AwsError =>
  eventError("ResourceNotFoundException", message);

export const alreadyExists = (message: string): AwsError =>
  eventError("ResourceAlreadyExistsException", message);

export const limitExceeded = (message: string): AwsError =>
  eventError("LimitExceededException", message);

export const illegalStatus = (message: string): AwsError =>
  eventError("IllegalStatusException", message);

export const invalidPattern = (reason: string): AwsError =>
  eventError("InvalidEventPatternException", `Event pattern is not valid. Reason: ${reason}`);

/** Builds operations whose malformed input is a ValidationException. */
export const eventOperation = operationsOf("EventBridge", ({ parameter, missing, message }) =>
  invalidEvent(
    missing
      ? `1 validation error detected: Value null at '${parameter}' failed to satisfy constraint: Member must not be null`
      : `1 validation error detected: Value at '${parameter}' failed to satisfy constraint: ${message}`,
  ),
);
