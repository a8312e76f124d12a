/**
 * The errors of SNS in its own words.
 */
import { AwsError } from "../AwsError.ts";
import { operationsOf } from "../http/operation.ts";

export const snsError = (code: string, message: string, status = 400): AwsError =>
  new AwsError({ code, message, status });

export const invalidParameter = (reason: string): AwsError =>
  snsError("InvalidParameter", `Invalid parameter: ${reason}`);

export const topicNotFound = (): AwsError => snsError("NotFound", "Topic does not exist", 404);

export const subscriptionNotFound = (): AwsError =>
  snsError("NotFound", "Subscription does not exist", 404);

/** Builds operations whose missing or malformed input is an InvalidParameter. */
export const snsOperation = operationsOf("SNS", ({ parameter, missing, message }) =>
  missing ? invalidParameter(parameter) : snsError("ValidationError", `${parameter}: ${message}`),
);
