/**
 * Goal: registering in Glue is idempotent, lets a table grow, and refuses what would break its readers.
 * Method: the adapter on the unmodified client, over the embedded Glue.
 */
import { GetPartitionsCommand, GetTableCommand, GlueClient } from "@aws-sdk/client-glue";
import { assert, describe, it } from "@effect/vitest";
import { Catalog, type CatalogTable } from "@millrace/core";
import { GlueCatalog } from "@millrace/core/aws";
import { Effect, Layer } from "effect";
import { Glue } from "../src/glue/Glue.ts";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { clientConfiguration, freshState } from "./inProcess.ts";

const DatabaseName = "results";

const world = Effect.gen(function* () {
  const { operations } = yield* Glue;
  const handler = jsonProtocol({
    service: "Glue",
    targetPrefix: "AWSGlue",
    version: "1.1",
    operations,
  });
  const config = yield* clientConfiguration(handler);
  const client = new GlueClient(config);
  const catalog = yield* Layer.build(GlueCatalog.layerGlue({ database: DatabaseName }, config));
  return {
    register: (table: CatalogTable, ...months: ReadonlyArray<string>) =>
      Effect.provide(
        Catalog.use(({ register }) =>
          register(
            table,
            months.map((month) => ({
              values: ["2026", month],
              location: `${table.location}year=2026/month=${month}/`,
            })),
          ),
        ),
        catalog,
      ),
    columns: Effect.map(
      Effect.promise(() => client.send(new GetTableCommand({ DatabaseName, Name: "sales" }))),
      ({ Table }) => Table?.StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`),
    ),
    partitions: Effect.map(
      Effect.promise(() =>
        client.send(new GetPartitionsCommand({ DatabaseName, TableName: "sales" })),
      ),
      ({ Partitions = [] }) =>
        Partitions.map(({ StorageDescriptor }) => StorageDescriptor?.Location),
    ),
  };
});

const sales = (...columns: ReadonlyArray<string>): CatalogTable => ({
  name: "sales",
  location: "s3://clean/processed/sales/",
  columns: columns.map((column) => {
    const [name = "", type = ""] = column.split(" ");
    return { name, type };
  }),
  partitionKeys: [
    { name: "year", type: "string" },
    { name: "month", type: "string" },
  ],
});

const services = Glue.layer.pipe(Layer.provide(freshState));

describe("the catalog on Glue", () => {
  it.effect("has a table and its partitions once, however often they are registered", () =>
    Effect.gen(function* () {
      const { columns, partitions, register } = yield* world;
      const table = sales("id bigint", "amount decimal(12,2)");
      for (const month of ["11", "11", "12", "11"]) yield* register(table, month);
      assert.deepStrictEqual(yield* columns, ["id bigint", "amount decimal(12,2)"]);
      assert.deepStrictEqual(yield* partitions, [
        "s3://clean/processed/sales/year=2026/month=11/",
        "s3://clean/processed/sales/year=2026/month=12/",
      ]);
    }).pipe(Effect.scoped, Effect.provide(services)),
  );

  it.effect("has many partitions by few requests, those that are there already among them", () =>
    Effect.gen(function* () {
      const { partitions, register } = yield* world;
      const months = Array.from({ length: 130 }, (_, index) => String(index));
      yield* register(sales("id bigint"), "7", "129");
      yield* register(sales("id bigint"), ...months);
      yield* register(sales("id bigint"));
      assert.sameMembers(
        yield* partitions,
        months.map((month) => `s3://clean/processed/sales/year=2026/month=${month}/`),
      );
    }).pipe(Effect.scoped, Effect.provide(services)),
  );

  it.effect("lets a table grow, and never shrink or change a type", () =>
    Effect.gen(function* () {
      const { columns, register } = yield* world;
      yield* register(sales("id bigint"), "11");
      yield* register(sales("note string", "id bigint"), "12");
      yield* register(sales("id bigint"), "12");
      assert.deepStrictEqual(yield* columns, ["id bigint", "note string"]);
      const conflict = yield* Effect.flip(register(sales("id string"), "12"));
      assert.strictEqual(conflict._tag, "CatalogConflict");
      assert.deepStrictEqual(yield* columns, ["id bigint", "note string"]);
    }).pipe(Effect.scoped, Effect.provide(services)),
  );
});
