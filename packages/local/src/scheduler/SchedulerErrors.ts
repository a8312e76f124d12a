/**
 * The errors of EventBridge Scheduler in its own words.
 */
import { AwsError } from "../AwsError.ts";
import { operationsOf } from "../http/operation.ts";

export const invalid = (message: string): AwsError =>
  new AwsError({ code: "ValidationException", message, status: 400 });

export const notFound = (message: string): AwsError =>
  new AwsError({ code: "ResourceNotFoundException", message, status: 404 });

export const conflict = (message: string): AwsError =>
  new AwsError({ code: "ConflictException", message, status: 409 });

/** Something that AWS has and the embedded one has not: refused by name. */
export const notImplemented = (what: string): AwsError =>
  new AwsError({
    code: "NotImplemented",
    message: `Scheduler: ${what} is not implemented by the embedded AWS`,
    status: 501,
  });

/** Builds operations whose malformed input is a ValidationException. */
export const schedulerOperation = operationsOf("Scheduler", ({ message, missing, parameter }) => {
  const member = parameter.replace(/^./u, (first) => first.toLowerCase());
  return invalid(
    missing
      ? `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`
      : `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${message}`,
  );
});
