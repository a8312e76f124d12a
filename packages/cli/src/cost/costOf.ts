/**
 * What a month costs: the counts of one file times the prices, line by line; pure.
 *
 * Counts of journal and index are those of the CSV pipeline's shape (`npm run bench -- writes`) and what its
 * announcements add. Everything else is the caller's: how many files, how long a function works on one, how large it is.
 */
import { cost, prices } from "./prices.ts";

export interface Usage {
  readonly filesPerMonth: number;
  /** Time that a function works on one file. */
  readonly secondsPerFile: number;
  readonly memoryMb: number;
  readonly architecture: "arm64" | "x86_64";
  /** Files that one invocation takes. */
  readonly batch: number;
  /** Requests that read and write objects, per file. */
  readonly readsPerFile: number;
  readonly writesPerFile: number;
  readonly logKbPerFile: number;
  /** Of files that a task takes instead of a function; vCPU-hours and GB-hours of all of them. */
  readonly taskCpuHours: number;
  readonly taskGbHours: number;
}

export interface Line {
  readonly what: string;
  readonly usd: number;
  /** As a formula with its numbers. */
  readonly how: string;
}

/**
 * Requests of one execution. Source: docs/benchmarks.md, "writes", the CSV pipeline's shape: three commits of 5 units,
 * one row of 3 units; and one commit more for what it announces.
 */
export const countsPerFile = {
  journalWriteUnits: 6,
  indexWriteUnits: 3,
  readUnits: 1,
  /** Started and ended. */
  announcements: 2,
  notifications: 1,
  /** A send, and its part of receives and deletes. */
  queueRequests: 1.2,
} as const;

/** What is paid for while nothing happens, in a stage that is watched; test/infra counts it, too. */
export const atRest = {
  alarmMetrics: 97,
  customMetrics: 62,
  dashboards: 1,
  keys: 1,
  hostedZones: 1,
  /** Pollers of three queues: five per queue, a receive every 20 s. */
  idleReceives: 1_944_000,
} as const;

/** Lines of what files cost, in USD a month. */
export const costOfFiles = (usage: Usage): ReadonlyArray<Line> => {
  const { batch, filesPerMonth: files, memoryMb, secondsPerFile } = usage;
  const gbSeconds = (memoryMb / 1_024) * secondsPerFile * files;
  const gbSecond =
    usage.architecture === "arm64" ? prices.lambdaArmGbSecond : prices.lambdaGbSecond;
  const { announcements, indexWriteUnits, journalWriteUnits, notifications } = countsPerFile;
  const invocations = files / batch;
  const lines: ReadonlyArray<Line> = [
    {
      what: "functions",
      usd: cost(gbSecond, gbSeconds) + cost(prices.lambdaRequest, invocations),
      how: `${memoryMb / 1_024} GB x ${secondsPerFile} s x ${files} files, and ${invocations} invocations`,
    },
    {
      what: "journal",
      usd:
        cost(prices.dynamoWriteUnit, journalWriteUnits * files) +
        cost(prices.dynamoReadUnit, countsPerFile.readUnits * files),
      how: `${journalWriteUnits} write units and ${countsPerFile.readUnits} read unit x ${files} files`,
    },
    {
      what: "index",
      usd: cost(prices.dynamoWriteUnit, indexWriteUnits * files),
      how: `${indexWriteUnits} write units x ${files} files`,
    },
    {
      what: "events and queues",
      usd:
        cost(prices.eventBridgeEvent, files) +
        cost(prices.customEvent, announcements * files) +
        cost(prices.sqsRequest, countsPerFile.queueRequests * files) +
        cost(prices.snsPublish, notifications * files),
      how: `1 event of S3, ${announcements} announcements, ${countsPerFile.queueRequests} requests to SQS, ${notifications} publish x ${files} files`,
    },
    {
      what: "objects",
      usd:
        cost(prices.s3Read, usage.readsPerFile * files) +
        cost(prices.s3Write, usage.writesPerFile * files),
      how: `${usage.readsPerFile} reads and ${usage.writesPerFile} writes x ${files} files; storage is not counted`,
    },
    {
      what: "logs",
      usd: cost(prices.logGb, (usage.logKbPerFile * files) / 1_000_000),
      how: `${usage.logKbPerFile} KB x ${files} files`,
    },
    {
      what: "tasks",
      usd:
        cost(prices.fargateCpuHour, usage.taskCpuHours) +
        cost(prices.fargateGbHour, usage.taskGbHours),
      how: `${usage.taskCpuHours} vCPU-hours and ${usage.taskGbHours} GB-hours on demand; spare capacity is up to 70 % cheaper`,
    },
  ];
  return lines.filter(({ usd }) => usd > 0);
};

/** Lines of what a watched stage costs while nothing happens, in USD a month. */
export const costAtRest = (): ReadonlyArray<Line> => [
  {
    what: "alarms",
    usd: cost(prices.alarmMetricMonth, atRest.alarmMetrics),
    how: `${atRest.alarmMetrics} metrics that alarms watch`,
  },
  {
    what: "metrics",
    usd: cost(prices.customMetricMonth, atRest.customMetrics),
    how: `${atRest.customMetrics} metrics of the product, in months in which each is counted once`,
  },
  {
    what: "dashboard, key, zone",
    usd:
      cost(prices.dashboardMonth, atRest.dashboards) +
      cost(prices.keyMonth, atRest.keys) +
      cost(prices.hostedZoneMonth, atRest.hostedZones),
    how: `${atRest.dashboards} dashboard, ${atRest.keys} key, ${atRest.hostedZones} zone of the network`,
  },
  {
    what: "empty receives",
    usd: cost(prices.sqsRequest, atRest.idleReceives),
    how: `${atRest.idleReceives} receives of pollers that found nothing; the first million of an account is free`,
  },
];

export const sumOf = (lines: ReadonlyArray<Line>): number =>
  lines.reduce((sum, { usd }) => sum + usd, 0);
