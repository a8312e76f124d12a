/**
 * The CSV pipeline on one object of a store, in Effect's own engine: for tests of what it writes.
 */
import * as NodeServices from "@effect/platform-node/NodeServices";
import { ExecutionVersion, MessageQueue, type ObjectStore, Tasks } from "@millrace/core";
import { Effect, Layer } from "effect";
import { WorkflowEngine } from "effect/workflow";
import { Buckets, CsvToParquet, layerCsvToParquetWith, layerHyparquet } from "../src/index.ts";

interface CsvExecution {
  readonly store: Layer.Layer<ObjectStore>;
  /** In the bucket raw. */
  readonly key: string;
  readonly sizeBytes: number;
  readonly options: Parameters<typeof layerCsvToParquetWith>[0];
  /** Effect's engine in memory records none. @default 1 */
  readonly version?: number;
  /** Hears every letter. */
  readonly send?: (body: string) => void;
}

/** Gives how the execution ended. */
export const executeCsv = ({ key, options, send, sizeBytes, store, version = 1 }: CsvExecution) => {
  const services = Layer.mergeAll(
    store,
    layerHyparquet,
    NodeServices.layer,
    Tasks.layerNone,
    Layer.succeed(Buckets, { raw: "raw", clean: "clean", errors: "errors" }),
    Layer.succeed(MessageQueue, { send: (_queue, body) => Effect.sync(() => send?.(body)) }),
    Layer.succeed(ExecutionVersion, version),
  );
  const eventEpochMs = Date.UTC(2026, 10, 20);
  return CsvToParquet.execute({
    object: { bucket: "raw", key, etag: "e1", sizeBytes, sequencer: "1", eventEpochMs },
  }).pipe(
    Effect.result,
    Effect.provide(
      layerCsvToParquetWith(options).pipe(
        Layer.provide(services),
        Layer.provideMerge(WorkflowEngine.layerMemory),
      ),
    ),
  );
};
