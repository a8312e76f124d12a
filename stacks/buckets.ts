/**
 * The buckets: raw uploads, clean results, what was in error, and values that are too large for the journal.
 *
 * All of them: no public access, TLS only, encrypted, versioned, owned by the account, and cleaned of what is left over.
 * Raw tells EventBridge of every object.
 */
import type { BucketName } from "@millrace/workflows/topology";
import { stage } from "./stage";

type AnyBucket = BucketName | "values";

/** How long the objects under a prefix live, in days, and when they become cheaper to keep (requirement D4.12). */
interface Lifetime {
  readonly prefix: string;
  readonly expireDays?: number;
  readonly archiveDays?: number;
}

const lifetimes: Readonly<Partial<Record<AnyBucket, ReadonlyArray<Lifetime>>>> = {
  raw: [
    { prefix: "images/", expireDays: 7 },
    { prefix: "incoming/", archiveDays: 30 },
  ],
  clean: [
    { prefix: "resized/", expireDays: 90 },
    { prefix: "processed/", archiveDays: 90 },
  ],
  errors: [{ prefix: "", expireDays: 90 }],
};

/** What was overwritten can be brought back for this long. */
const noncurrentDays = 30;

/** Parts of an upload that was never completed are paid for until they are removed. */
const unfinishedUploadDays = 7;

const makeBucket = (name: AnyBucket) => {
  const logical = name.slice(0, 1).toUpperCase() + name.slice(1);
  const isUploadedTo = name === "raw" && stage.uploadOrigins.length > 0;
  const bucket = new sst.aws.Bucket(logical, {
    versioning: true,
    enforceHttps: true,
    cors: isUploadedTo && {
      allowOrigins: stage.uploadOrigins,
      allowMethods: ["POST"],
      allowHeaders: ["content-type"],
    },
  });
  new aws.s3.BucketServerSideEncryptionConfiguration(`${logical}Encryption`, {
    bucket: bucket.name,
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
  });
  new aws.s3.BucketOwnershipControls(`${logical}Ownership`, {
    bucket: bucket.name,
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
  new aws.s3.BucketLifecycleConfiguration(`${logical}Lifecycle`, {
    bucket: bucket.name,
    rules: [tidy, ...(lifetimes[name] ?? []).map(toRule)],
  });
  return bucket;
};

const tidy = {
  id: "leftovers",
  status: "Enabled",
  filter: { prefix: "" },
  noncurrentVersionExpiration: { noncurrentDays },
  abortIncompleteMultipartUpload: { daysAfterInitiation: unfinishedUploadDays },
};

const toRule = ({ archiveDays, expireDays, prefix }: Lifetime) => ({
  id: `lifetime of ${prefix === "" ? "everything" : prefix}`,
  status: "Enabled",
  filter: { prefix },
  ...(expireDays !== undefined && { expiration: { days: expireDays } }),
  ...(archiveDays !== undefined && {
    transitions: [{ days: archiveDays, storageClass: "INTELLIGENT_TIERING" }],
  }),
});

export const buckets = {
  raw: makeBucket("raw"),
  clean: makeBucket("clean"),
  errors: makeBucket("errors"),
  values: makeBucket("values"),
} as const satisfies Readonly<Record<AnyBucket, sst.aws.Bucket>>;

/** Raw alone speaks: an event of what a pipeline wrote would only be dropped. */
buckets.raw.notify({
  notifications: [],
  transform: {
    notification: (notification) => {
      notification.eventbridge = true;
    },
  },
});
