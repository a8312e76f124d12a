/**
 * The failure that a service of the embedded AWS answers with, in AWS's own terms.
 *
 * The router turns it into the wire form of the protocol in use (JSON `__type`, query XML, S3 XML).
 *
 * Shape:  `code` is AWS's error code, e.g. `NoSuchKey`, `InvalidParameterValue`; `status` the HTTP status
 */
import { Schema } from "effect";

export class AwsError extends Schema.TaggedError<AwsError>()("AwsError", {
  code: Schema.String,
  message: Schema.String,
  status: Schema.Int,
  /** Further elements of the error document, e.g. `Key` for NoSuchKey. */
  detail: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
}) {}

/** An operation that the embedded AWS does not have: refused by name, never ignored (501). */
export const unknownOperation = (service: string, operation: string): AwsError =>
  new AwsError({
    code: "NotImplemented",
    message: `${service}: operation ${operation} is not implemented by the embedded AWS`,
    status: 501,
  });

/** A parameter that the embedded AWS does not honour: refused by name, never ignored (501). */
export const unknownParameter = (service: string, operation: string, parameter: string): AwsError =>
  new AwsError({
    code: "NotImplemented",
    message: `${service}: parameter ${parameter} of ${operation} is not implemented by the embedded AWS`,
    status: 501,
  });
