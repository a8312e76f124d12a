/**
 * Goal: a file that was refused in a late part, whose parts were removed, is whole after a redrive under other limits.
 * Method: the workflow in two processes over one journal and one store; the second has the changed code.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import {
  Executions,
  ExecutionRunner,
  Journal,
  MessageQueue,
  redrive,
  Tasks,
  Wakes,
} from "@millrace/core";
import {
  Buckets,
  type CsvPipelineOptions,
  CsvToParquet,
  layerCsvToParquetWith,
  layerHyparquet,
} from "@millrace/workflows";
import { Effect, Layer } from "effect";
import { makeWorld } from "../packages/core/test/engineWorld.ts";
import { makeMemoryStore } from "../packages/workflows/test/memoryStore.ts";

// More than is read at once, so that the first parts are there when the bad rows come.
const good = Array.from({ length: 25_000 }, (_, index) => `${index},name ${index}`);
const text = ["id,name", ...good, "cut off", "cut off", "cut off", ""].join("\n");

describe("a redrive of a file whose parts were removed", () => {
  it.live("writes every part again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { objects, store } = makeMemoryStore();
      const bytes = Buffer.from(text);
      objects.set("raw/incoming/sales.csv", { bytes, contentType: "text/csv" });
      const services = Layer.mergeAll(
        store,
        layerHyparquet,
        NodeServices.layer,
        Tasks.layerNone,
        Layer.succeed(Buckets, { raw: "raw", clean: "clean", errors: "errors" }),
        Layer.succeed(MessageQueue, { send: () => Effect.void }),
      );
      const deploy = (rejectedRowsMax: number) => {
        const options: CsvPipelineOptions = {
          partRows: 10_000,
          partsAboveBytes: 1_000,
          rejectedRowsMax,
        };
        return world.start(Layer.provide(layerCsvToParquetWith(options), services), "frozen");
      };
      const payload = {
        object: {
          bucket: "raw",
          key: "incoming/sales.csv",
          etag: "e1",
          sizeBytes: bytes.length,
          sequencer: "1",
          eventEpochMs: Date.UTC(2026, 10, 20),
        },
      };
      const outputs = () => [...objects.keys()].filter((name) => name.startsWith("clean/"));
      const strict = yield* deploy(1);
      yield* strict.run(ExecutionRunner.use((runner) => runner.start(CsvToParquet, payload)));
      assert.deepStrictEqual(outputs(), []);

      yield* strict.kill;
      const executionId = yield* CsvToParquet.executionId(payload);
      yield* redrive(executionId, { reason: "three bad rows are fine" }).pipe(
        Effect.provideService(Journal, world.journal),
        Effect.provideService(Wakes, { wake: () => Effect.void, timer: () => Effect.void }),
        Effect.provideService(Executions, {
          record: () => Effect.void,
          list: () => Effect.succeed({ rows: [], cursor: undefined }),
          find: () => Effect.undefined,
        }),
      );
      const lenient = yield* deploy(10);
      const { state } = yield* lenient.run(
        ExecutionRunner.use((runner) =>
          runner.wake({ workflow: CsvToParquet._tag, executionId }, "explicit"),
        ),
      );
      assert.include(JSON.stringify(state.completed?.result), '"rowsOut":25000');
      assert.deepStrictEqual(
        outputs()
          .map((name) => name.replace(/^.*\//, ""))
          .filter((name) => !name.includes("rejects"))
          .toSorted(),
        ["_manifest.json", "part-00001.parquet", "part-00002.parquet", "part-00003.parquet"],
      );
    }).pipe(Effect.scoped),
  );
});
