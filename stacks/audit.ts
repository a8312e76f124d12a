/**
 * Who read and wrote which object (requirement D4.11): CloudTrail's data events of the buckets, in production.
 *
 * Paid per event; the other stages go without.
 */
import { buckets } from "./buckets";
import { account, named, region, stage } from "./stage";

/** Records are kept for this long. */
const keptDays = 365;

const make = () => {
  const trailName = named("objects");
  const ownTrail = {
    test: "StringEquals",
    variable: "aws:SourceArn",
    values: [$interpolate`arn:aws:cloudtrail:${region}:${account}:trail/${trailName}`],
  };
  const records = new sst.aws.Bucket("Audit", {
    versioning: true,
    cors: false,
    policy: [
      {
        principals: [{ type: "service", identifiers: ["cloudtrail.amazonaws.com"] }],
        actions: ["s3:GetBucketAcl"],
        paths: [""],
        conditions: [ownTrail],
      },
      {
        principals: [{ type: "service", identifiers: ["cloudtrail.amazonaws.com"] }],
        actions: ["s3:PutObject"],
        paths: ["AWSLogs/*"],
        conditions: [ownTrail],
      },
    ],
  });
  new aws.s3.BucketServerSideEncryptionConfiguration("AuditEncryption", {
    bucket: records.name,
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
  });
  new aws.s3.BucketOwnershipControls("AuditOwnership", {
    bucket: records.name,
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
  new aws.s3.BucketLifecycleConfiguration("AuditLifecycle", {
    bucket: records.name,
    rules: [
      { id: "kept", status: "Enabled", filter: { prefix: "" }, expiration: { days: keptDays } },
    ],
  });
  new aws.cloudtrail.Trail("ObjectTrail", {
    name: trailName,
    s3BucketName: records.name,
    enableLogFileValidation: true,
    includeGlobalServiceEvents: false,
    advancedEventSelectors: [
      {
        name: "objects of the stage",
        fieldSelectors: [
          { field: "eventCategory", equals: ["Data"] },
          { field: "resources.type", equals: ["AWS::S3::Object"] },
          {
            field: "resources.ARN",
            startsWiths: Object.values(buckets).map(({ arn }) => $interpolate`${arn}/`),
          },
        ],
      },
    ],
  });
};

if (stage.isProduction) make();
