/**
 * Goal: a table whose folders are named by `year` and `month` has no columns of these names, and no file of one leaves anything.
 * Method: declarations are planned; a file with such a header goes through the workflow over a store in memory.
 */
import { Catalog } from "@millrace/core";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Layer, Result, Schema } from "effect";
import { planCsvPipeline } from "../src/csvToParquet/CsvPipelineOptions.ts";
import { Column } from "../src/index.ts";
import { executeCsv } from "./executeCsv.ts";
import { makeMemoryStore } from "./memoryStore.ts";

const catalog = Layer.succeed(Catalog, {
  register: () => Effect.die("nothing is registered of a refused file"),
});
const dataset = { table: "orders", catalog } as const;

describe("a column named like a partition's key", () => {
  it.each(["year", "Month"])("is refused in a schema: %s", (name) => {
    const schema = Schema.Struct({ id: Column.int64, [name]: Column.text });
    const planned = planCsvPipeline({ schema, dataset });
    assert(Result.isFailure(planned));
    assert.deepInclude(planned.failure, { _tag: "PartitionKeyTaken", table: "orders" });
    assert.include(planned.failure.message, `a column "${name}"`);
  });

  it.live("is refused in a file's header, before anything of it is written", () =>
    Effect.gen(function* () {
      const { objects, store } = makeMemoryStore();
      const bytes = Buffer.from("id,Year\n1,2026\n");
      const key = "incoming/shop/orders.csv";
      objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
      const exit = yield* executeCsv({ store, key, sizeBytes: bytes.length, options: { dataset } });
      assert(Result.isFailure(exit));
      assert.deepInclude(exit.failure, { _tag: "PartitionKeyTaken", column: "year" });
      assert.isFalse([...objects.keys()].some((name) => name.startsWith("clean/")));
    }),
  );

  it("is an ordinary one where there is no dataset", () => {
    const schema = Schema.Struct({ year: Column.text });
    assert.isTrue(Result.isSuccess(planCsvPipeline({ schema })));
  });
});
