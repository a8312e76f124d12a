/**
 * Goal: an installation without DuckDB, or one in which its code cannot be read, writes the file by the stream engine, and the report
 * says why; nothing is tried again.
 * Method: the module that is missing throws when it is imported.
 */
import { assert, it } from "@effect/vitest";
import { Effect } from "effect";
import { vi } from "vitest";
import { executeCsv } from "./executeCsv.ts";
import { makeMemoryStore } from "./memoryStore.ts";

const notThere = () => {
  throw new Error("it is not there");
};

const run = Effect.gen(function* () {
  const { objects, store } = makeMemoryStore();
  const key = "incoming/sales.csv";
  const bytes = Buffer.from("id,name\n1,x\n2,y\n");
  objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
  const exit = yield* executeCsv({
    store,
    key,
    sizeBytes: bytes.length,
    options: { partsAboveBytes: 1, engine: "duckdb" },
    version: 3,
  });
  assert(exit._tag === "Success");
  const { engine, rowsOut } = exit.success.report;
  assert.strictEqual(rowsOut, 2);
  assert.strictEqual(engine?.name, "stream");
  return engine?.reason;
});

it.live("a file goes to the stream engine when the engine's code cannot be read", () =>
  Effect.gen(function* () {
    vi.doMock("../src/csvToParquet/duckActivity.ts", notThere);
    assert.include(yield* run, "the DuckDB engine cannot be loaded");
    vi.doUnmock("../src/csvToParquet/duckActivity.ts");
    vi.resetModules();
  }),
);

it.live("a file goes to the stream engine when DuckDB is not installed", () =>
  Effect.gen(function* () {
    vi.doMock("@duckdb/node-api", notThere);
    assert.include(yield* run, "DuckDB failed to load");
    vi.doUnmock("@duckdb/node-api");
  }),
);
