/**
 * The errors of Systems Manager's parameters in its own words.
 */
import { AwsError } from "../AwsError.ts";
import { operationsOf } from "../http/operation.ts";

const ssmError = (code: string, message: string): AwsError =>
  new AwsError({ code, message, status: 400 });

export const invalid = (message: string): AwsError => ssmError("ValidationException", message);

export const parameterNotFound = (name: string): AwsError =>
  ssmError("ParameterNotFound", `Parameter ${name} not found.`);

export const parameterExists = (): AwsError =>
  ssmError(
    "ParameterAlreadyExists",
    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
  );

export const invalidNextToken = (): AwsError =>
  ssmError("InvalidNextToken", "The specified token is not valid.");

/** Builds operations whose missing or malformed input is a ValidationException. */
export const ssmOperation = operationsOf("SSM", ({ message, missing, parameter }) =>
  invalid(
    missing
      ? `1 validation error detected: Value null at '${parameter}' failed to satisfy constraint: Member must not be null`
      : `1 validation error detected: Value at '${parameter}' failed to satisfy constraint: ${message}`,
  ),
);
