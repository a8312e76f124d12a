/**
 * Goal: a pipeline whose topology names a table registers its outputs there, with nothing else said.
 * Method: a whole local mode; the pipeline's function in a process of its own, which knows the database by its environment.
 */
import { GetPartitionsCommand, GetTableCommand, GlueClient } from "@aws-sdk/client-glue";
import { assert, layer } from "@effect/vitest";
import { clientConfig, localBuckets, localDatabase } from "@millrace/local";
import { Effect } from "effect";
import { salesDataset } from "./fixtures/salesTopology.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const world = layerLocalWorld({ timeoutSeconds: 30, ...salesDataset });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a dataset", (it) => {
  it.effect("is registered by the function of a pipeline that declares it", () =>
    Effect.gen(function* () {
      const { connection, process, versions } = yield* LocalWorld;
      const { row } = yield* process("incoming/shop/day.csv", "id,name\n1,one\n2,two\n");
      assert.strictEqual(row.status, "completed", row.errorTag);
      const [output] = yield* versions(localBuckets.clean, "processed/sales/");
      const [, folder = ""] =
        /^(processed\/sales\/year=\d{4}\/month=\d{2}\/)\d{2}\/shop\/day\.parquet$/.exec(
          output?.key ?? "",
        ) ?? [];
      assert.notStrictEqual(folder, "");
      const glue = new GlueClient(clientConfig(connection));
      const named = { DatabaseName: localDatabase };
      const { Table } = yield* Effect.promise(() =>
        glue.send(new GetTableCommand({ ...named, Name: "sales" })),
      );
      assert.deepStrictEqual(
        Table?.StorageDescriptor?.Columns?.map(({ Name }) => Name),
        ["id", "name", "_processed_at", "_source_file"],
      );
      const { Partitions = [] } = yield* Effect.promise(() =>
        glue.send(new GetPartitionsCommand({ ...named, TableName: "sales" })),
      );
      assert.deepStrictEqual(
        Partitions.map(({ StorageDescriptor }) => StorageDescriptor?.Location),
        [`s3://${localBuckets.clean}/${folder}`],
      );
    }),
  );
});
