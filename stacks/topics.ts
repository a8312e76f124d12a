/**
 * Whom it tells: the ends of executions (with attributes to filter by), and alarms.
 *
 * Alarms come from CloudWatch, which may not use AWS's own key for topics: theirs is encrypted by a key of the stage.
 */
import { denyInsecureTransport } from "./lib/policies";
import { account, named, region, stage } from "./stage";

/** Success, invalid data and failure, by the attribute `outcome`; the functions publish, anybody may subscribe. */
export const executionsTopic = new sst.aws.SnsTopic("ExecutionEnds", {
  transform: {
    topic: (topic) => {
      topic.kmsMasterKeyId = "alias/aws/sns";
    },
  },
});

new aws.sns.TopicPolicy("ExecutionEndsPolicy", {
  arn: executionsTopic.arn,
  policy: $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OwnAccount",
        Effect: "Allow",
        Principal: { AWS: account },
        Action: ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes"],
        Resource: executionsTopic.arn,
      },
      denyInsecureTransport("sns:Publish", executionsTopic.arn),
    ],
  }),
});

const alarmsOfThisAccount = {
  StringEquals: { "aws:SourceAccount": account },
  ArnLike: { "aws:SourceArn": $interpolate`arn:aws:cloudwatch:${region}:${account}:alarm:*` },
};

const makeOperationsTopic = () => {
  const key = new aws.kms.Key("OperationsKey", {
    description: `${named("operations")}: messages of alarms`,
    enableKeyRotation: true,
    deletionWindowInDays: 30,
    policy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "Administration",
          Effect: "Allow",
          Principal: { AWS: $interpolate`arn:aws:iam::${account}:root` },
          Action: "kms:*",
          Resource: "*",
        },
        {
          Sid: "Alarms",
          Effect: "Allow",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Action: ["kms:Decrypt", "kms:GenerateDataKey"],
          Resource: "*",
          Condition: alarmsOfThisAccount,
        },
      ],
    }),
  });
  const topic = new sst.aws.SnsTopic("OperationsTopic", {
    transform: {
      topic: (args) => {
        args.kmsMasterKeyId = key.arn;
      },
    },
  });
  new aws.sns.TopicPolicy("OperationsTopicPolicy", {
    arn: topic.arn,
    policy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "Alarms",
          Effect: "Allow",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Action: "sns:Publish",
          Resource: topic.arn,
          Condition: alarmsOfThisAccount,
        },
        denyInsecureTransport("sns:Publish", topic.arn),
      ],
    }),
  });
  if (stage.operationsEmail) {
    new aws.sns.TopicSubscription("OperationsEmail", {
      topic: topic.arn,
      protocol: "email",
      endpoint: stage.operationsEmail,
    });
  }
  return topic;
};

/** Only where there are alarms. */
export const operationsTopic = stage.isWatched ? makeOperationsTopic() : undefined;
