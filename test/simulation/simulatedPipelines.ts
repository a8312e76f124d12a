/**
 * The pipelines of a simulated world, and what their functions reach outside.
 */
import type {
  Executions,
  Journal,
  LargeValues,
  MessageQueue,
  ObjectHeads,
  ObjectStore,
  Pipeline,
  Schedules,
} from "@millrace/core";
import { type Buckets, CsvToParquet, type ParquetEncoder } from "@millrace/workflows";
import { pipelines } from "@millrace/workflows/topology";
import type { FileSystem } from "effect";
import type { Outside } from "./Ledger.ts";
import { afterOrder, Invoice } from "./invoices.ts";
import { Order, orderQueues, ordersName } from "./orders.ts";

export const bucketNames = { raw: "raw", clean: "clean", errors: "errors" };

export const ordersPipeline: Pipeline = {
  name: ordersName,
  trigger: { bucket: "raw", prefix: "incoming/", suffixes: [".json"] },
  bucketName: "raw",
  ...orderQueues,
  workflow: Order,
  payloadOf: (object) => ({ object }),
};

export const csvPipeline: Pipeline = {
  name: pipelines.csvToParquet.name,
  // The orders are the JSON files here.
  trigger: { ...pipelines.csvToParquet.trigger, suffixes: [".csv"] },
  bucketName: "raw",
  queue: pipelines.csvToParquet.name,
  deadLetterQueue: `${pipelines.csvToParquet.name}-dead-letters`,
  workflow: CsvToParquet,
  payloadOf: (object) => ({ object }),
};

export const invoicesPipeline: Pipeline = {
  name: "invoices",
  queue: "invoices",
  deadLetterQueue: "invoices-dead-letters",
  workflow: Invoice,
  after: afterOrder,
};

export const salesQueues = {
  queue: pipelines.dailySales.name,
  deadLetterQueue: `${pipelines.dailySales.name}-dead-letters`,
};

/** Workflows that uploads start. */
export const startedByUploads: ReadonlySet<string> = new Set([
  Order._tag,
  CsvToParquet._tag,
  pipelines.dailySales.workflow,
]);

/** Queues of the pipelines beside the orders', by their workflows. */
const queues = new Map<string, string>([
  [CsvToParquet._tag, csvPipeline.queue],
  [Invoice._tag, invoicesPipeline.queue],
  [pipelines.dailySales.workflow, salesQueues.queue],
]);

/** The queue whose function has the code of the workflow. */
export const queueOf = (workflow: string): string => queues.get(workflow) ?? ordersPipeline.queue;

/** Everything outside of a process. */
export type Outsides =
  | Buckets
  | Executions
  | FileSystem.FileSystem
  | Journal
  | LargeValues
  | MessageQueue
  | ObjectHeads
  | ObjectStore
  | Outside
  | ParquetEncoder
  | Schedules;
