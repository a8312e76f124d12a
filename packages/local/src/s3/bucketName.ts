/**
 * The naming rules of general purpose buckets.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
const shape = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u;
const address = /^\d{1,3}(?:\.\d{1,3}){3}$/u;
const reservedPrefixes = ["xn--", "sthree-", "amzn-s3-demo-"];
const reservedSuffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/** True for a name that CreateBucket accepts. */
export const isBucketName = (name: string): boolean =>
  shape.test(name) &&
  !name.includes("..") &&
  !address.test(name) &&
  !reservedPrefixes.some((prefix) => name.startsWith(prefix)) &&
  !reservedSuffixes.some((suffix) => name.endsWith(suffix));
