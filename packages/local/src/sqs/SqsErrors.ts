/**
 * The errors of SQS in the words of its JSON protocol, and the codes of the query protocol that its clients also read.
 *
 * Source: AmazonSQS API model 2012-11-05 (`awsQueryError` traits)
 */
import { AwsError } from "../AwsError.ts";
import type { InputProblem } from "../http/operation.ts";

const queryCodes: Readonly<Record<string, string>> = {
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  QueueNameExists: "QueueAlreadyExists",
  InvalidParameterValueException: "InvalidParameterValue",
  MissingRequiredParameterException: "MissingParameter",
};

const prefixedCodes: ReadonlySet<string> = new Set([
  "BatchEntryIdsNotDistinct",
  "BatchRequestTooLong",
  "EmptyBatchRequest",
  "InvalidBatchEntryId",
  "MessageNotInflight",
  "PurgeQueueInProgress",
  "QueueDeletedRecently",
  "TooManyEntriesInBatchRequest",
  "UnsupportedOperation",
]);

/** The query protocol's code for an error, e.g. `AWS.SimpleQueueService.NonExistentQueue`. */
export const sqsQueryCode = (code: string): string =>
  prefixedCodes.has(code) ? `AWS.SimpleQueueService.${code}` : (queryCodes[code] ?? code);

export const sqsError = (code: string, message: string, status = 400): AwsError =>
  new AwsError({ code, message, status });

export const queueDoesNotExist = (): AwsError =>
  sqsError("QueueDoesNotExist", "The specified queue does not exist.");

export const invalidParameter = (message: string): AwsError =>
  sqsError("InvalidParameterValueException", message);

export const invalidValue = (parameter: string, value: string, reason: string): AwsError =>
  invalidParameter(`Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);

export const missingParameter = (parameter: string): AwsError =>
  sqsError(
    "MissingRequiredParameterException",
    `The request must contain the parameter ${parameter}.`,
  );

export const inputProblem = ({ parameter, missing, message }: InputProblem): AwsError =>
  missing
    ? missingParameter(parameter)
    : sqsError("SerializationException", `${parameter}: ${message}`);
