/**
 * Goal: a pipeline with a declared schema leaves typed Parquet and its rejects beside it, or, with too many rejects, the
 * file and its reason in the error bucket, a dead letter, and nothing else.
 * Method: the workflow on Effect's engine in memory, over a store in memory.
 */

import { assert, describe, it } from "@effect/vitest";
import { Effect, Schema } from "effect";
import { Column, type CsvPipelineOptions } from "../src/index.ts";
import { executeCsv } from "./executeCsv.ts";
import { makeMemoryStore } from "./memoryStore.ts";
import { queryDuckDb } from "./support.ts";

const schema = Schema.Struct({ id: Column.int64, amount: Column.decimal(8, 2) });

const runPipeline = (
  options: CsvPipelineOptions,
  content: string | Uint8Array,
  name = "sales.csv",
) =>
  Effect.gen(function* () {
    const { objects, store } = makeMemoryStore();
    const bytes = Buffer.from(content);
    const key = `incoming/${name}`;
    objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
    const letters: Array<string> = [];
    const exit = yield* executeCsv({
      store,
      key,
      sizeBytes: bytes.length,
      options,
      send: (body) => letters.push(body),
    });
    return { exit, letters, objects };
  });

const good = "processed/2026/11/20/sales.parquet";

describe("a pipeline with a declared schema", () => {
  it.effect("writes its types, and the rejects as CSV beside the output", () =>
    Effect.gen(function* () {
      const { exit, letters, objects } = yield* runPipeline(
        { schema },
        "id,amount\n9223372036854775807,1.10\n=1+1,2\n",
      );
      assert(exit._tag === "Success");
      assert.deepStrictEqual(exit.success.outputs, [{ bucket: "clean", key: good }]);
      assert.deepStrictEqual(exit.success.rejects, { bucket: "clean", key: `${good}.rejects.csv` });
      assert.deepStrictEqual(letters, []);
      const file = objects.get(`clean/${good}`);
      const rejects = objects.get(`clean/${good}.rejects.csv`);
      assert(file !== undefined && rejects !== undefined);
      assert.deepStrictEqual(
        yield* queryDuckDb(file.bytes, "select id::varchar id, amount::varchar a from FILE"),
        [{ id: "9223372036854775807", a: "1.10" }],
      );
      assert.strictEqual(rejects.contentType, "text/csv; charset=utf-8");
      assert.strictEqual(
        Buffer.from(rejects.bytes).toString("utf8"),
        `line,column,reason,detail,raw,cut\r\n3,"id","does-not-fit","column ""id"" takes a whole number of 64 bits","'=1+1,2",false\r\n`,
      );
    }),
  );

  it.effect("with more rejects than it allows leaves file, reason and letter, without data", () =>
    Effect.gen(function* () {
      const text = "id,amount\n1,1\nsecret-4711,2\nsecret-4712,3\n2,2\n";
      const { exit, letters, objects } = yield* runPipeline({ schema, rejectedRowsMax: 1 }, text);
      assert(exit._tag === "Failure");
      assert.strictEqual(exit.failure._tag, "CsvTooManyRejects");
      assert.deepStrictEqual(
        [...objects.keys()].filter((name) => !name.startsWith("raw/")),
        ["errors/incoming/sales.csv.e1", "errors/incoming/sales.csv.e1.reason.json"],
      );
      const copy = objects.get("errors/incoming/sales.csv.e1");
      assert.strictEqual(Buffer.from(copy?.bytes ?? []).toString("utf8"), text);
      const reason = objects.get("errors/incoming/sales.csv.e1.reason.json");
      assert.lengthOf(letters, 1);
      for (const told of [Buffer.from(reason?.bytes ?? []).toString("utf8"), letters[0] ?? ""]) {
        assert.include(told, "line 3");
        assert.notInclude(told, "secret");
      }
    }),
  );

  it.effect("refuses a file that lacks a column before it writes anything", () =>
    Effect.gen(function* () {
      const { exit, objects } = yield* runPipeline({ schema }, "id\n1\n");
      assert(exit._tag === "Failure");
      assert.strictEqual(exit.failure._tag, "CsvColumnsMissing");
      assert.isFalse([...objects.keys()].some((name) => name.startsWith("clean/")));
    }),
  );

  it.effect("is not built from a schema that cannot be columns", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        runPipeline({ schema: Schema.Struct({ tags: Schema.Array(Schema.String) }) }, "tags\n1\n"),
      );
      assert.strictEqual(failure._tag, "ColumnUnsupported");
    }),
  );
});
