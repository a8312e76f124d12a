/**
 * What there is to deploy and to run: every pipeline's trigger, queue and compute, as plain data.
 *
 * Local mode and the stacks read this module and nothing else about a pipeline. It must stay free of imports with
 * effects: it is loaded where no AWS client, no sharp and no DuckDB may be.
 *
 * Units:  seconds and megabytes where the name says so
 */
import type { Trigger } from "@millrace/core";
import type { ComputeRules } from "./compute/chooseCompute.ts";

export { findLoops, refuseLoops, TopologyLoops } from "./refuseLoops.ts";

/** A bucket by its logical name. */
export type BucketName = "raw" | "clean" | "errors";

/** Where objects come to lie that a pipeline writes. */
export interface PipelineOutput {
  readonly bucket: BucketName;
  readonly prefix: string;
  /** How its keys end. @default anyhow */
  readonly suffixes?: readonly [string, ...ReadonlyArray<string>];
  /** Whether it also removes there what it has written, and reads it again. @default false */
  readonly removes?: boolean;
}

/** What every pipeline has, whatever starts it. */
export interface PipelineBase {
  /** Kebab case; names its queue, rule and function. */
  readonly name: string;
  /** Tag of the workflow that it starts. */
  readonly workflow: string;
  /** Module in packages/functions/src that exports `handler`. */
  readonly handler: string;
  /** Where its results lie: compared with all triggers, because an output that is an input is a loop. */
  readonly outputs: ReadonlyArray<PipelineOutput>;
  readonly queue: {
    readonly retentionSeconds: number;
    /** Receives after which the queue gives a message up to the dead-letter queue. */
    readonly receiveCountMax: number;
  };
  readonly compute: {
    readonly timeoutSeconds: number;
    readonly memoryMb: number;
    /** Functions at work at the same time. */
    readonly concurrencyMax: number;
    /** Messages per invocation. */
    readonly batchSize: number;
    /** What one message takes at most where nothing goes wrong. @default recordSecondsMin */
    readonly messageSeconds?: number;
    /** Size of /tmp. @default 512 */
    readonly storageMb?: number;
    /** @default "arm64" */
    readonly architecture?: Architecture;
    /** Functions that are kept warm; each is paid for whether it works or not. @default 0 */
    readonly provisionedCount?: number;
  };
  /** What its steps read beside its inputs: reference tables. @default nothing */
  readonly reads?: ReadonlyArray<Pick<PipelineOutput, "bucket" | "prefix">>;
  /** Packages with native parts, which are installed beside the bundle for the function's own platform. */
  readonly nativePackages?: ReadonlyArray<string>;
  /** Names of the secrets that its activities read. */
  readonly secrets?: ReadonlyArray<string>;
  /** Tables that its activities write, beside those of the engine. */
  readonly tables?: ReadonlyArray<ActivityTable>;
  /** The table that its outputs are (docs/data.md, "Datasets"): gives it the right to register them. @default none */
  readonly dataset?: DatasetTopology;
  /** The task that does the same work where a function is too small. @default none */
  readonly task?: TaskTopology;
  /** What goes to the task. @default objects of 100 MB and more (see chooseCompute) */
  readonly computeRules?: ComputeRules;
}

export type Architecture = "arm64" | "x86_64";

/** A table of activities, by its logical name. */
export type ActivityTable = "images";

/** A table of the stage's data catalog, which one pipeline writes. */
export interface DatasetTopology {
  /** Lower-case letters, digits and `_`. */
  readonly table: string;
}

/** A container on Fargate; processor and memory go together in pairs. */
export interface TaskTopology {
  /** Tag of the workflow whose executions its containers run. */
  readonly workflow: string;
  /** 256 is a quarter of a virtual processor, 1,024 a whole one. */
  readonly cpuUnits: number;
  readonly memoryMb: number;
  readonly storageGb: number;
}

/** A pipeline that objects start. */
export interface PipelineTopology extends PipelineBase {
  readonly trigger: Trigger & { readonly bucket: BucketName };
  /**
   * Which versions of an object are run. `every`: each upload, against exactly its bytes, in whatever order the events
   * come. `newest`: an older version whose event comes after a newer one's is recorded as superseded, and not run.
   * @default "every"
   */
  readonly versions?: "every" | "newest";
}

/** A pipeline that begins when an execution of another has completed: one rule on the product's own bus. */
export interface ChainTopology extends PipelineBase {
  /** Name of the pipeline that it follows. */
  readonly after: string;
}

/** Retention of every dead-letter queue, in seconds: 14 days, the longest that SQS keeps (requirement D4.3). */
export const deadLetterRetentionSeconds = 1_209_600;

/** Records of a batch that a function handles side by side. */
export const recordsAtOnce = 4;

/**
 * A function begins a record of a batch with at least this much time left, in seconds. The engine stops its runs two
 * seconds before the end: one second is the least that is worth beginning for.
 */
export const recordSecondsMin = 3;

/**
 * A queue hides a received message for this many times the function's timeout (requirement D4.3).
 * Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS", queue configuration.
 */
export const visibilityTimeouts = 6;

/** Compressed files may be of any of these: what is in them decides. */
const dataSuffixes = [".csv", ".json", ".ndjson", ".jsonl", ".gz"] as const;

const csvToParquet = {
  name: "csv-to-parquet",
  workflow: "CsvToParquet",
  handler: "csvToParquet",
  trigger: { bucket: "raw", prefix: "incoming/", suffixes: dataSuffixes },
  outputs: [
    {
      bucket: "clean",
      prefix: "processed/",
      suffixes: [".parquet", ".rejects.ndjson", ".rejects.csv", "_manifest.json", ".hashes"],
      removes: true,
    },
    { bucket: "errors", prefix: "incoming/" },
  ],
  queue: { retentionSeconds: 345_600, receiveCountMax: 3 },
  // One file per invocation: each may need the whole time, and memory is bounded per file.
  compute: {
    timeoutSeconds: 900,
    memoryMb: 1_769,
    concurrencyMax: 100,
    batchSize: 1,
    messageSeconds: 600,
    storageMb: 4_096,
  },
  task: { workflow: "CsvTransformTask", cpuUnits: 2_048, memoryMb: 8_192, storageGb: 50 },
} as const satisfies PipelineTopology;

const dailySales = {
  name: "daily-sales",
  workflow: "DailySales",
  handler: "dailySales",
  trigger: { bucket: "raw", prefix: "sales/", suffixes: [".csv"] },
  outputs: [
    {
      bucket: "clean",
      prefix: "sales/",
      suffixes: [".parquet", ".rejects.csv", "_manifest.json", ".hashes"],
      removes: true,
    },
    { bucket: "errors", prefix: "sales/" },
  ],
  queue: { retentionSeconds: 345_600, receiveCountMax: 3 },
  compute: {
    timeoutSeconds: 300,
    memoryMb: 1_024,
    concurrencyMax: 10,
    batchSize: 1,
    messageSeconds: 200,
  },
  // Every file is transformed in a task, however small.
  task: { workflow: "DailySalesTransform", cpuUnits: 1_024, memoryMb: 4_096, storageGb: 30 },
  computeRules: { bytesMin: 0 },
} as const satisfies PipelineTopology;

const imageRenditions: PipelineTopology = {
  name: "image-renditions",
  workflow: "ImageRenditions",
  handler: "imageRenditions",
  trigger: {
    bucket: "raw",
    prefix: "images/",
    suffixes: [".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg"],
  },
  outputs: [
    { bucket: "clean", prefix: "resized/" },
    { bucket: "errors", prefix: "images/" },
  ],
  queue: { retentionSeconds: 86_400, receiveCountMax: 3 },
  compute: { timeoutSeconds: 60, memoryMb: 1_769, concurrencyMax: 50, batchSize: 10 },
  nativePackages: ["sharp"],
  tables: ["images"],
};

/** All pipelines. */
export const pipelines = { csvToParquet, dailySales, imageRenditions } as const;

/** All that follow another. */
export const chains: ReadonlyArray<ChainTopology> = [];

/** A function that a schedule invokes. */
export interface ScheduledTopology {
  /** Kebab case; names its schedule and its function. */
  readonly name: string;
  /** Module in packages/functions/src that exports `handler`. */
  readonly handler: string;
  /** It comes this often. */
  readonly everyMinutes: number;
  readonly compute: { readonly timeoutSeconds: number; readonly memoryMb: number };
}

/**
 * The function that asks again for executions that should have moved and did not. A lost wake costs as long as the
 * sweeper takes to come, and its grace, at most.
 *
 * It reads one history per open execution, eight at a time: at 20 ms each, 5 minutes are enough for 100,000 of them.
 */
export const sweeper: ScheduledTopology = {
  name: "sweeper",
  handler: "sweeper",
  everyMinutes: 5,
  compute: { timeoutSeconds: 300, memoryMb: 512 },
};

/**
 * The function that compares the buckets with the executions (docs/operations.md, "Reconcile").
 *
 * It lists 1,000 objects in about 0.1 s and keeps some 200 bytes of each: 15 minutes are enough for millions of them.
 */
export const reconciler: ScheduledTopology = {
  name: "reconciler",
  handler: "reconciler",
  everyMinutes: 60,
  compute: { timeoutSeconds: 900, memoryMb: 1_769 },
};

/** Everything that there is to deploy. */
export interface Topology {
  readonly pipelines: ReadonlyArray<PipelineTopology>;
  readonly chains: ReadonlyArray<ChainTopology>;
  readonly sweeper: ScheduledTopology;
  readonly reconciler: ScheduledTopology;
}

/** The product's own. */
export const topology: Topology = {
  pipelines: Object.values(pipelines),
  chains,
  sweeper,
  reconciler,
};

/** All buckets. */
export const buckets: ReadonlyArray<BucketName> = ["raw", "clean", "errors"];

/** Names of a pipeline's own queue and of its dead-letter queue, inside the process; the real ones are the stage's affair. */
export const queueNames = (pipeline: PipelineBase) => ({
  queue: pipeline.name,
  deadLetterQueue: `${pipeline.name}-dead-letters`,
});
