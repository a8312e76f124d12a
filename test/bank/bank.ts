/**
 * A topology for tests: what the product's own pipelines do not have. A bank that takes payments through a vendor, sends
 * receipts, and wants only the newest quote. The product's pipelines are in it, too.
 */
import { fileURLToPath } from "node:url";
import {
  type ChainTopology,
  type PipelineTopology,
  type Topology,
  topology,
} from "@millrace/workflows/topology";

const queue = { retentionSeconds: 3_600, receiveCountMax: 3 };
const compute = { timeoutSeconds: 30, memoryMb: 512, concurrencyMax: 2, batchSize: 1 };

export const payments: PipelineTopology = {
  name: "payments",
  workflow: "Payment",
  handler: "payments",
  trigger: { bucket: "raw", prefix: "payments/", suffixes: [".json"] },
  outputs: [{ bucket: "clean", prefix: "paid/" }],
  queue,
  compute,
};

export const quotes: PipelineTopology = {
  name: "quotes",
  workflow: "Quote",
  handler: "quotes",
  trigger: { bucket: "raw", prefix: "quotes/", suffixes: [".json"] },
  versions: "newest",
  outputs: [{ bucket: "clean", prefix: "quoted/" }],
  queue,
  compute,
};

export const receipts: ChainTopology = {
  name: "receipts",
  workflow: "Receipt",
  handler: "receipts",
  after: payments.name,
  outputs: [{ bucket: "clean", prefix: "receipts/" }],
  queue,
  compute,
};

const own: ReadonlySet<string> = new Set(
  [payments, quotes, receipts].map(({ handler }) => handler),
);

/** What local mode is told to run the bank. */
export const bank = {
  topology: {
    ...topology,
    pipelines: [...topology.pipelines, payments, quotes],
    chains: [...topology.chains, receipts],
  } satisfies Topology,
  moduleOf: (handler: string): string =>
    own.has(handler)
      ? fileURLToPath(new URL(`functions/${handler}.ts`, import.meta.url))
      : fileURLToPath(import.meta.resolve(`@millrace/functions/${handler}`)),
};
