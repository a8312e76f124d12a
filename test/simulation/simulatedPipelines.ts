/**
 * The pipelines of a simulated world, and what their functions reach outside.
 */
import type {
  Executions,
  Journal,
  LargeValues,
  MessageQueue,
  ObjectStore,
  Pipeline,
  Schedules,
} from "@millrace/core";
import { type Buckets, CsvToParquet, type ParquetEncoder } from "@millrace/workflows";
import { pipelines } from "@millrace/workflows/topology";
import type { FileSystem } from "effect";
import type { Outside } from "./Ledger.ts";
import { Order, orderQueues } from "./orders.ts";

export const bucketNames = { raw: "raw", clean: "clean", errors: "errors" };

export const ordersPipeline: Pipeline = {
  name: "orders",
  trigger: { bucket: "raw", prefix: "incoming/", suffixes: [".json"] },
  bucketName: "raw",
  ...orderQueues,
  workflow: Order,
  payloadOf: (object) => ({ object }),
};

export const csvPipeline: Pipeline = {
  name: pipelines.csvToParquet.name,
  trigger: pipelines.csvToParquet.trigger,
  bucketName: "raw",
  queue: pipelines.csvToParquet.name,
  deadLetterQueue: `${pipelines.csvToParquet.name}-dead-letters`,
  workflow: CsvToParquet,
  payloadOf: (object) => ({ object }),
};

/** The queue whose function has the code of the workflow. */
export const queueOf = (workflow: string): string =>
  workflow === CsvToParquet._tag ? csvPipeline.queue : ordersPipeline.queue;

/** Everything outside of a process. */
export type Outsides =
  | Buckets
  | Executions
  | FileSystem.FileSystem
  | Journal
  | LargeValues
  | MessageQueue
  | ObjectStore
  | Outside
  | ParquetEncoder
  | Schedules;
