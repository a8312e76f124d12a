/**
 * Prices that `millrace cost` and the benches multiply counts with: us-east-1, list prices in USD, without free tiers and discounts.
 *
 * Written down on 2026-11-20. `read` says how a price was looked at that day:
 *  - vendor     in a stored copy of the vendor's own page
 *  - secondary  in public text that cites the vendor's page
 *  - notes      in this project's own comparison of peers of that date; look it up again before you print it anywhere
 */

interface Price {
  /** USD for `per` of `unit`. */
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
  readonly source: string;
  readonly read: "vendor" | "secondary" | "notes";
}

export const pricesDate = "2026-11-20";

const million = 1_000_000;

export const prices = {
  dynamoWriteUnit: {
    usd: 0.625,
    per: million,
    unit: "write request units (1 KB each, on demand)",
    source: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    read: "secondary",
  },
  dynamoReadUnit: {
    usd: 0.125,
    per: million,
    unit: "read request units (4 KB each, consistent, on demand)",
    source: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    read: "secondary",
  },
  sqsRequest: {
    usd: 0.4,
    per: million,
    unit: "requests, standard queue",
    source: "https://aws.amazon.com/sqs/pricing/",
    read: "secondary",
  },
  eventBridgeEvent: {
    usd: 1,
    per: million,
    unit: "S3 object events (opt-in)",
    source: "https://aws.amazon.com/eventbridge/pricing/",
    read: "notes",
  },
  lambdaRequest: {
    usd: 0.2,
    per: million,
    unit: "requests",
    source: "https://aws.amazon.com/lambda/pricing/",
    read: "notes",
  },
  lambdaGbSecond: {
    usd: 16.6667,
    per: million,
    unit: "GB-seconds, x86",
    source: "https://aws.amazon.com/lambda/pricing/",
    read: "notes",
  },
  lambdaArmGbSecond: {
    usd: 13.3334,
    per: million,
    unit: "GB-seconds, arm64",
    source: "https://aws.amazon.com/lambda/pricing/",
    read: "notes",
  },
  customEvent: {
    usd: 1,
    per: million,
    unit: "events put on a bus of one's own",
    source: "https://aws.amazon.com/eventbridge/pricing/",
    read: "notes",
  },
  snsPublish: {
    usd: 0.5,
    per: million,
    unit: "publishes",
    source: "https://aws.amazon.com/sns/pricing/",
    read: "notes",
  },
  s3Write: {
    usd: 5,
    per: million,
    unit: "PUT, COPY, POST and LIST requests, standard storage",
    source: "https://aws.amazon.com/s3/pricing/",
    read: "notes",
  },
  s3Read: {
    usd: 0.4,
    per: million,
    unit: "GET requests, standard storage",
    source: "https://aws.amazon.com/s3/pricing/",
    read: "notes",
  },
  logGb: {
    usd: 0.5,
    per: 1,
    unit: "GB of logs taken in",
    source: "https://aws.amazon.com/cloudwatch/pricing/",
    read: "secondary",
  },
  alarmMetricMonth: {
    usd: 0.1,
    per: 1,
    unit: "metrics that an alarm watches, for a month",
    source: "https://aws.amazon.com/cloudwatch/pricing/",
    read: "secondary",
  },
  customMetricMonth: {
    usd: 0.3,
    per: 1,
    unit: "metrics of one's own, for a month",
    source: "https://aws.amazon.com/cloudwatch/pricing/",
    read: "secondary",
  },
  dashboardMonth: {
    usd: 3,
    per: 1,
    unit: "dashboards, for a month",
    source: "https://aws.amazon.com/cloudwatch/pricing/",
    read: "secondary",
  },
  keyMonth: {
    usd: 1,
    per: 1,
    unit: "keys of one's own, for a month",
    source: "https://aws.amazon.com/kms/pricing/",
    read: "notes",
  },
  hostedZoneMonth: {
    usd: 0.5,
    per: 1,
    unit: "hosted zones, for a month",
    source: "https://aws.amazon.com/route53/pricing/",
    read: "notes",
  },
  fargateCpuHour: {
    usd: 0.04048,
    per: 1,
    unit: "vCPU-hours, Linux on x86",
    source: "https://aws.amazon.com/fargate/pricing/",
    read: "secondary",
  },
  fargateGbHour: {
    usd: 0.004445,
    per: 1,
    unit: "GB-hours, Linux on x86",
    source: "https://aws.amazon.com/fargate/pricing/",
    read: "secondary",
  },
  stepFunctionsTransition: {
    usd: 25,
    per: million,
    unit: "state transitions, Standard",
    source: "https://aws.amazon.com/step-functions/pricing/",
    read: "vendor",
  },
  lambdaDurableOperation: {
    usd: 8,
    per: million,
    unit: "durable operations",
    source: "https://aws.amazon.com/lambda/pricing/",
    read: "notes",
  },
  lambdaDurableGbWritten: {
    usd: 0.25,
    per: 1,
    unit: "GB written",
    source: "https://aws.amazon.com/lambda/pricing/",
    read: "notes",
  },
} as const satisfies Record<string, Price>;

/**
 * What spare capacity costs less than the list price, at best: its price moves.
 * Source: https://aws.amazon.com/fargate/pricing/, "up to 70% discount" (read: notes)
 */
export const fargateSpotDiscountMax = 0.7;

/** USD for a count of a priced thing. */
export const cost = (price: Price, count: number): number => (price.usd / price.per) * count;
