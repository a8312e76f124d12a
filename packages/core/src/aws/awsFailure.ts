/**
 * The class of what an AWS SDK client throws: mapped here, once, for all adapters.
 *
 * By name first (a throttle may come as a 400, a 402 or a 503), then by HTTP status. An error without a status never
 * got an answer. What no client and no network throws is a defect: nothing is assumed about it.
 *
 * Source: the SDK's own service-error-classification (@smithy/core); S3 API reference, "Error responses"
 */
import { Predicate } from "effect";
import type { FailureClass } from "../Failure.ts";

/** Asked too fast. */
const throttled: ReadonlySet<unknown> = new Set([
  "BandwidthLimitExceeded",
  "EC2ThrottledException",
  // One and the same, by the names of SQS's and SNS's clients, and as the services write it.
  "KMS.ThrottlingException",
  "KMSThrottling",
  "KMSThrottlingException",
  "KmsThrottled",
  "LimitExceededException",
  "OverLimit",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "ServiceQuotaExceededException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
]);

/** No answer in time. */
const timedOut: ReadonlySet<unknown> = new Set([
  "TimeoutError",
  "RequestTimeout",
  "RequestTimeoutException",
  "ETIMEDOUT",
]);

/**
 * Refusals that pass by themselves: another request is under way, credentials or clocks are being renewed, bytes were
 * damaged on their way, an upload was given up.
 */
const passing: ReadonlySet<unknown> = new Set([
  "BadDigest",
  "ConditionalRequestConflict",
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteBody",
  "InvalidPart",
  "NoSuchUpload",
  "OperationAborted",
  "ReplicatedWriteConflictException",
  "RequestExpired",
  "RequestTimeTooSkewed",
  "TransactionConflictException",
  "TransactionInProgressException",
]);

const statusThrottled: ReadonlySet<number> = new Set([402, 429]);
const statusTimedOut: ReadonlySet<number> = new Set([408, 504]);
const statusPassing: ReadonlySet<number> = new Set([409, 425]);

/**
 * Whether an error of a client has this name. To be asked about errors that are a name and a message: in a function's
 * bundle they have no class of their own (stacks/bundling/awsTables.mjs), and those of SQS and SNS the name that is sent.
 */
export const isNamed = (error: unknown, name: string): boolean =>
  Predicate.hasProperty(error, "name") && error.name === name;

/** The status of the answer, if there was one. */
export const statusOf = (error: unknown): number | undefined => {
  if (!Predicate.hasProperty(error, "$metadata")) return undefined;
  const { $metadata: metadata } = error;
  return Predicate.hasProperty(metadata, "httpStatusCode") &&
    typeof metadata.httpStatusCode === "number"
    ? metadata.httpStatusCode
    : undefined;
};

/** The class of an SDK error, and the pause it asks for, as fields of the error that passes it on. */
export const awsFailure = (
  cause: unknown,
): {
  readonly cause: unknown;
  readonly failureClass: FailureClass;
  readonly retryAfterMs?: number;
} => {
  const failureClass = classOf(cause);
  const retryAfterMs = retryAfterMsIn(cause);
  // Whoever says when to come again is asking for slower requests, whatever the status.
  return retryAfterMs !== undefined && failureClass !== "permanent" && failureClass !== "defect"
    ? { cause, failureClass: "throttled", retryAfterMs }
    : { cause, failureClass };
};

/**
 * The same for a transfer of bytes: what broke it off on its way (a connection that closed early, a checksum that does
 * not match) comes from streams, which have no names for it, and may be whole the next time.
 */
export const transferFailure = (cause: unknown): ReturnType<typeof awsFailure> => {
  const failure = awsFailure(cause);
  return failure.failureClass === "defect" ? { cause, failureClass: "transient" } : failure;
};

const classOf = (error: unknown): FailureClass => {
  const name = Predicate.hasProperty(error, "name") ? error.name : undefined;
  const code = Predicate.hasProperty(error, "code") ? error.code : undefined;
  if (throttled.has(name) || isMarkedThrottling(error)) return "throttled";
  if (timedOut.has(name) || timedOut.has(code)) return "timeout";
  if (passing.has(name)) return "transient";
  const status = statusOf(error);
  if (status !== undefined) return classOfStatus(status);
  // Node's system errors and the SDK's own carry one of these; they never got as far as an answer.
  const isUnanswered =
    Predicate.hasProperty(error, "$metadata") ||
    (typeof code === "string" && /^E[A-Z_]+$/.test(code) && !code.startsWith("ERR_"));
  return isUnanswered ? "transient" : "defect";
};

const classOfStatus = (status: number): FailureClass => {
  if (statusThrottled.has(status)) return "throttled";
  if (statusTimedOut.has(status)) return "timeout";
  const isRefused = status >= 400 && status < 500 && !statusPassing.has(status);
  return isRefused ? "permanent" : "transient";
};

const isMarkedThrottling = (error: unknown): boolean =>
  Predicate.hasProperty(error, "$retryable") &&
  Predicate.hasProperty(error.$retryable, "throttling") &&
  error.$retryable.throttling === true;

/** `x-amz-retry-after` is in milliseconds, `retry-after` in seconds; one that is a date is left to the backoff. */
const retryAfterMsIn = (error: unknown): number | undefined => {
  if (!Predicate.hasProperty(error, "$response")) return undefined;
  const { $response: response } = error;
  if (!Predicate.hasProperty(response, "headers")) return undefined;
  const { headers } = response;
  const number = (name: string) => {
    const text: unknown = Predicate.hasProperty(headers, name) ? headers[name] : undefined;
    return typeof text === "string" && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  };
  const ms = number("x-amz-retry-after");
  const seconds = number("retry-after");
  return ms ?? (seconds === undefined ? undefined : seconds * 1_000);
};
