/**
 * The S3 errors that are raised in more than one place, with AWS's codes, statuses and wording.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { AwsError } from "../AwsError.ts";

/** An S3 error; `detail` becomes further elements of the document, e.g. `Key`. */
export const s3Error = (
  status: number,
  code: string,
  message: string,
  detail?: Readonly<Record<string, string>>,
): AwsError =>
  new AwsError(
    detail === undefined ? { code, message, status } : { code, message, status, detail },
  );

export const noSuchBucket = (bucket: string): AwsError =>
  s3Error(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket });

export const noSuchKey = (key: string): AwsError =>
  s3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: key });

export const noSuchVersion = (key: string, versionId: string): AwsError =>
  s3Error(404, "NoSuchVersion", "The specified version does not exist.", {
    Key: key,
    VersionId: versionId,
  });

export const noSuchUpload = (uploadId: string): AwsError =>
  s3Error(
    404,
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: uploadId },
  );

export const invalidArgument = (name: string, value: string, message: string): AwsError =>
  s3Error(400, "InvalidArgument", message, { ArgumentName: name, ArgumentValue: value });

export const invalidRequest = (message: string): AwsError =>
  s3Error(400, "InvalidRequest", message);

export const accessDenied = (message = "Access Denied"): AwsError =>
  s3Error(403, "AccessDenied", message);

export const malformedXml = (): AwsError =>
  s3Error(
    400,
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

export const preconditionFailed = (condition: string): AwsError =>
  s3Error(
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    { Condition: condition },
  );

/** A header or parameter whose meaning this S3 does not have: refused by name. */
export const notImplemented = (operation: string, parameter: string): AwsError =>
  s3Error(
    501,
    "NotImplemented",
    `s3: parameter ${parameter} of ${operation} is not implemented by the embedded AWS`,
    { Header: parameter },
  );

/** An operation that this S3 does not have: refused by name. */
export const operationNotImplemented = (operation: string): AwsError =>
  s3Error(
    501,
    "NotImplemented",
    `s3: operation ${operation} is not implemented by the embedded AWS`,
    { Operation: operation },
  );
