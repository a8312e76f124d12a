/**
 * The one account of the embedded AWS: what clients must be configured with, and what ARNs are made of.
 *
 * The keys are checked only where AWS's own answer depends on them (presigned URLs and POST policies); they guard
 * nothing, because the server listens on 127.0.0.1 only.
 */
export const localAccount = {
  accountId: "000000000000",
  region: "us-east-1",
  accessKeyId: "millrace",
  secretAccessKey: "millrace-local-secret",
} as const;
