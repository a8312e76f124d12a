/**
 * The errors of ECS in its own words.
 */
import { AwsError } from "../AwsError.ts";
import { operationsOf } from "../http/operation.ts";

const ecsError = (code: string, message: string): AwsError =>
  new AwsError({ code, message, status: 400 });

export const invalidParameter = (message: string): AwsError =>
  ecsError("InvalidParameterException", message);

export const clientError = (message: string): AwsError => ecsError("ClientException", message);

export const clusterNotFound = (): AwsError =>
  ecsError("ClusterNotFoundException", "Cluster not found.");

export const taskNotFound = (): AwsError => invalidParameter("The referenced task was not found.");

export const conflict = (): AwsError =>
  ecsError(
    "ConflictException",
    "The RunTask request could not be processed due to conflicts: its clientToken was used with other parameters.",
  );

/** Builds operations whose malformed input is an InvalidParameterException. */
export const ecsOperation = operationsOf("ECS", ({ message, missing, parameter }) =>
  invalidParameter(
    missing ? `${parameter} cannot be empty.` : `Invalid value for '${parameter}': ${message}`,
  ),
);
