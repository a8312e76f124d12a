/**
 * The errors of SNS in its own words.
 */
import { AwsError, unknownParameter } from "../AwsError.ts";
import { operationsOf } from "../http/operation.ts";

export const snsError = (code: string, message: string, status = 400): AwsError =>
  new AwsError({ code, message, status });

export const invalidParameter = (reason: string): AwsError =>
  snsError("InvalidParameter", `Invalid parameter: ${reason}`);

/** An attribute that nobody here honours: one that SNS has is refused by name, any other is a mistake. */
export const unknownAttribute = (
  operation: string,
  name: string,
  known: (name: string) => boolean,
): AwsError =>
  known(name)
    ? unknownParameter("SNS", operation, `Attributes.${name}`)
    : invalidParameter(
        operation.startsWith("Set")
          ? "AttributeName"
          : `Attributes Reason: Unknown attribute ${name}`,
      );

export const topicNotFound = (): AwsError => snsError("NotFound", "Topic does not exist", 404);

export const subscriptionNotFound = (): AwsError =>
  snsError("NotFound", "Subscription does not exist", 404);

/** What is wrong with an ARN that is none. */
export const arnProblem = (parameter: string, arn: string): AwsError | undefined => {
  const elements = arn.split(":").length;
  return elements < arnElementsMin
    ? invalidParameter(
        `${parameter} Reason: An ARN must have at least ${arnElementsMin} elements, not ${elements}`,
      )
    : undefined;
};
const arnElementsMin = 6;

/** Builds operations whose missing or malformed input is an InvalidParameter. */
export const snsOperation = operationsOf("SNS", ({ parameter, missing, message }) =>
  missing ? invalidParameter(parameter) : snsError("ValidationError", `${parameter}: ${message}`),
);
