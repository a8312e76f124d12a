/**
 * What production keeps when it is removed.
 *
 * SST's own `retain` keeps tables and buckets, and deletes queues, buses, archives and logs, and the policies that guard
 * what it keeps. Here everything that holds data stays, with what guards it.
 */
import { stage } from "./stage";

const keptTypes: ReadonlySet<string> = new Set([
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketPolicy:BucketPolicy",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketVersioning:BucketVersioning",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  "aws:dynamodb/table:Table",
  "aws:sqs/queue:Queue",
  "aws:sqs/queuePolicy:QueuePolicy",
  "aws:cloudwatch/eventBus:EventBus",
  "aws:cloudwatch/eventArchive:EventArchive",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:ecr/repository:Repository",
  "aws:kms/key:Key",
  "aws:secretsmanager/secret:Secret",
]);

/** Keeps them, and lets no bucket be emptied to be deleted. */
export const retainInProduction = (): void => {
  if (!stage.isProduction) return;
  $util.runtime.registerStackTransformation(({ opts, props, type }) => {
    if (!keptTypes.has(type)) return undefined;
    return {
      props: type === "aws:s3/bucket:Bucket" ? { ...props, forceDestroy: false } : props,
      opts: { ...opts, retainOnDelete: true },
    };
  });
};
