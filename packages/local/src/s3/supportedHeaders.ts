/**
 * Which `x-amz-*` headers this S3 honours. Any other is refused by name: it would change the meaning of the request.
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { checksumAlgorithms, checksumHeader } from "./Checksum.ts";
import { notImplemented } from "./s3Error.ts";

const honoured = new Set([
  "x-amz-algorithm",
  "x-amz-checksum-algorithm",
  "x-amz-checksum-mode",
  "x-amz-checksum-type",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-unmodified-since",
  "x-amz-copy-source-range",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-expected-bucket-owner",
  "x-amz-max-parts",
  "x-amz-metadata-directive",
  "x-amz-mfa",
  "x-amz-mp-object-size",
  "x-amz-object-attributes",
  // Asks for the restore status, which objects outside the archive classes do not have.
  "x-amz-optional-object-attributes",
  "x-amz-part-number-marker",
  // No bucket here is Requester Pays, and S3 ignores the header for such buckets.
  "x-amz-request-payer",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-sdk-request",
  "x-amz-security-token",
  "x-amz-signature",
  "x-amz-source-expected-bucket-owner",
  "x-amz-storage-class",
  "x-amz-tagging",
  "x-amz-tagging-directive",
  "x-amz-trailer",
  "x-amz-user-agent",
  ...checksumAlgorithms.map(checksumHeader),
]);

/** Headers of which only some values are what happens here anyway. */
const honouredValues: Readonly<Record<string, ReadonlyArray<string>>> = {
  "x-amz-acl": ["private", "bucket-owner-full-control"],
  "x-amz-server-side-encryption": ["AES256"],
  "x-amz-object-ownership": ["BucketOwnerEnforced"],
  "x-amz-bucket-object-lock-enabled": ["false"],
};

/** Refuses headers that ask for what this S3 does not do. */
export const checkHeaders = (
  headers: Readonly<Record<string, string>>,
  operation: string,
): Effect.Effect<void, AwsError> => {
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith("x-amz-") || name.startsWith("x-amz-meta-") || honoured.has(name))
      continue;
    if (honouredValues[name]?.includes(value) !== true) {
      return Effect.fail(notImplemented(operation, `${name}: ${value}`));
    }
  }
  return Effect.void;
};
