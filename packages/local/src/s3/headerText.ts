/**
 * What can stand in an HTTP header. Values from forms and query strings are UTF-8 and may hold more than that.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (RFC 2047 for metadata beyond US-ASCII)
 */
import type { AwsError } from "../AwsError.ts";
import { invalidArgument } from "./s3Error.ts";

/** True when a header can carry the text as it is. */
export const isHeaderText = (text: string): boolean =>
  /^[\t\u0020-\u007e\u0080-\u00ff]*$/u.test(text);

/** True for the name of a header. */
export const isHeaderName = (text: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u.test(text);

/** S3's refusal of a value that no header can carry. */
export const notHeaderText = (name: string, value: string): AwsError =>
  invalidArgument(name, value, "Header value cannot be represented using ISO-8859-1.");

/** User metadata as S3 gives it back: beyond US-ASCII in the encoding of RFC 2047. */
export const encodeMetadata = (value: string): string =>
  /^[\t\u0020-\u007e]*$/u.test(value)
    ? value
    : `=?UTF-8?B?${Buffer.from(value, "utf8").toString("base64")}?=`;
