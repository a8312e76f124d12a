/**
 * Goal: a large file becomes a folder of parts and, last of all, a manifest; whatever fails on the way, the objects are the
 * same, and of an invalid file nothing is left.
 * Method: the workflow on Effect's engine in memory, over a store in memory that fails where the test says.
 */
import { Catalog } from "@millrace/core";
import { assert, describe, it } from "@effect/vitest";
import { Clock, Effect, Layer, Schema } from "effect";
import { gzipSync } from "node:zlib";
import { type CsvPipelineOptions, isInParts, Manifest } from "../src/index.ts";
import { hashParquet } from "../../../test/parquetHash.ts";
import { executeCsv } from "./executeCsv.ts";
import { failingOnce } from "./failingOnce.ts";
import { makeMemoryStore } from "./memoryStore.ts";
import { standingClock } from "./standingClock.ts";
import { queryDuckDb } from "./support.ts";

const partRows = 100;

const runPipeline = (
  bytes: Uint8Array,
  options: CsvPipelineOptions = {},
  { failing, name = "sales.csv" }: { readonly failing?: RegExp; readonly name?: string } = {},
) =>
  Effect.gen(function* () {
    const { objects, store } = makeMemoryStore();
    const key = `incoming/shop/${name}`;
    objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
    const { layer, opened } = failingOnce(store, failing);
    const exit = yield* executeCsv({
      store: layer,
      key,
      sizeBytes: bytes.length,
      options: { partRows, partsAboveBytes: 1_000, ...options },
      version: 3,
    }).pipe(Effect.provideServiceEffect(Clock.Clock, standingClock));
    const written = Object.fromEntries(
      [...objects]
        .filter(([name]) => !name.startsWith("raw/"))
        .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    );
    return { exit, written, opened };
  });

/** 450 different rows, each third one again later, some of them broken. */
const rows = Array.from({ length: 450 }, (_, index) => `${index},name ${index}`);
const repeated = rows.filter((_, index) => index % 3 === 0);
const sales = `id,name\n${[...rows, "only one cell", ...repeated, "500,last"].join("\n")}\n`;

const folder = "clean/processed/shop/2026/11/20/sales";
const partNames = [1, 2, 3, 4, 5].map((part) => `${folder}/part-0000${part}.parquet`);
const decodeManifest = Schema.decodeUnknownEffect(Schema.fromJsonString(Manifest));

describe("a large file", () => {
  it.live("becomes parts of so many rows and a manifest that names them", () =>
    Effect.gen(function* () {
      const { exit, written } = yield* runPipeline(Buffer.from(sales));
      assert(exit._tag === "Success");
      const { success } = exit;
      assert.deepStrictEqual(Object.keys(written), [
        `${folder}/_manifest.json`,
        `${folder}/_part-00005.rejects.ndjson`,
        ...partNames,
      ]);
      assert.deepStrictEqual(
        success.outputs.map(({ bucket, key }) => `${bucket}/${key}`),
        partNames,
      );
      const manifest = yield* decodeManifest(
        Buffer.from(written[`${folder}/_manifest.json`]?.bytes ?? []).toString("utf8"),
      );
      assert.deepInclude(manifest, { rows: 451, rowsIn: 602, rowsRejected: 1, duplicates: 150 });
      assert.deepStrictEqual(
        manifest.parts.map((part) => part.rows),
        [100, 100, 100, 100, 51],
      );
      const ids: Array<unknown> = [];
      for (const name of partNames)
        ids.push(
          ...(yield* queryDuckDb(written[name]?.bytes ?? new Uint8Array(), "select id from FILE")),
        );
      assert.deepStrictEqual(ids, [
        ...rows.map((_, index) => ({ id: String(index) })),
        { id: "500" },
      ]);
    }),
  );

  for (const failing of [
    /part-00001\.parquet$/,
    /part-00003\.parquet$/,
    /part-00005.rejects/,
    /00002\.hashes$/,
  ])
    for (const name of ["sales.csv", "sales.csv.gz"])
      it.live(`is the same when ${failing.source} of ${name} fails once`, () =>
        Effect.gen(function* () {
          const bytes = name.endsWith("gz") ? gzipSync(sales) : Buffer.from(sales);
          const expected = yield* runPipeline(bytes, {}, { name });
          const { exit, opened, written } = yield* runPipeline(bytes, {}, { name, failing });
          assert.deepStrictEqual(exit, expected.exit);
          assert.deepStrictEqual(written, expected.written);
          // The look, then twice the metadata and the file; columns before the second pass goes on, unless it begins anew.
          const reads = opened.filter((one) => one.startsWith("incoming"));
          const fresh = failing.source.includes("00001");
          assert.strictEqual(reads.length, expected.opened.length + (fresh ? 2 : 3));
          assert.strictEqual(
            reads.some((one) => !one.endsWith("@0")),
            !fresh && name === "sales.csv",
          );
        }),
      );

  it.live("by DuckDB is the same dataset, and says so", () =>
    Effect.gen(function* () {
      const stream = yield* runPipeline(Buffer.from(sales));
      const duck = yield* runPipeline(Buffer.from(sales), { engine: "duckdb" });
      assert(stream.exit._tag === "Success" && duck.exit._tag === "Success");
      assert.deepStrictEqual(duck.exit.success.report.engine, { name: "duckdb" });
      const filesOf = (written: typeof duck.written) =>
        Object.entries(written).flatMap(([name, { bytes }]) =>
          name.endsWith(".parquet") ? [bytes] : [],
        );
      assert.deepStrictEqual(
        yield* hashParquet(filesOf(duck.written)),
        yield* hashParquet(filesOf(stream.written)),
      );
      assert.deepInclude(duck.exit.success.report, { rowsOut: 451, duplicates: 150 });
      assert.lengthOf(duck.exit.success.rejectsByPart ?? [], 1);
    }),
  );

  for (const failing of [/part-00001\.parquet$/, /part-00003\.parquet$/, /00002\.hashes$/])
    for (const name of ["sales.csv", "sales.csv.gz"])
      it.live(`by DuckDB goes on where it was when ${failing.source} of ${name} fails once`, () =>
        Effect.gen(function* () {
          const bytes = name.endsWith("gz") ? gzipSync(sales) : Buffer.from(sales);
          const options = { engine: "duckdb" } as const;
          const expected = yield* runPipeline(bytes, options, { name });
          const { exit, opened, written } = yield* runPipeline(bytes, options, { name, failing });
          assert.deepStrictEqual(exit, expected.exit);
          assert.deepStrictEqual(written, expected.written);
          // Nothing begins anew but the first part.
          if (failing.source.includes("00001") || name !== "sales.csv") return;
          assert.isTrue(opened.some((one) => /^incoming.*@[1-9]/.test(one)));
        }),
      );

  it.live("that DuckDB leaves late is written by the stream engine, and says why", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(`${sales}501,5" pipe\n`);
      const expected = yield* runPipeline(bytes);
      const { exit, written } = yield* runPipeline(bytes, { engine: "duckdb" });
      assert(exit._tag === "Success");
      assert.deepStrictEqual(exit.success.report.engine, {
        name: "stream",
        reason: "it has quotes in cells that are not quoted",
      });
      assert.deepStrictEqual(written, expected.written);
    }),
  );

  it.live("that DuckDB finds invalid late leaves nothing of its parts", () =>
    Effect.gen(function* () {
      const { exit, written } = yield* runPipeline(Buffer.from(`${sales}"never closed`), {
        engine: "duckdb",
      });
      assert(exit._tag === "Failure");
      assert.strictEqual(exit.failure._tag, "CsvQuoteUnclosed");
      assert.isFalse(Object.keys(written).some((name) => name.startsWith("clean/")));
    }),
  );

  for (const [size, partsAboveBytes] of [
    ["large", 1_000],
    ["small", 1_000_000],
  ] as const)
    it.live(`as a dataset lies in its month's folder and is registered once: ${size}`, () =>
      Effect.gen(function* () {
        const registered: Array<unknown> = [];
        const catalog = Layer.succeed(Catalog, {
          register: (table, partitions) =>
            Effect.sync(() => {
              for (const partition of partitions) registered.push({ ...table, ...partition });
            }),
        });
        const { exit, written } = yield* runPipeline(Buffer.from(sales), {
          partsAboveBytes,
          dataset: { table: "sales", catalog },
        });
        assert(exit._tag === "Success");
        const month = "processed/sales/year=2026/month=11/";
        for (const name of Object.keys(written)) {
          assert.isTrue(name.startsWith(`clean/${month}20/shop/`), name);
          // What is no Parquet file, Athena must pass over.
          assert.match(name, /\/(?:_[^/]*|[^/_][^/]*\.parquet)$/);
        }
        assert.deepStrictEqual(registered, [
          {
            name: "sales",
            location: `s3://clean/${month}`,
            columns: [
              { name: "id", type: "string" },
              { name: "name", type: "string" },
              { name: "_processed_at", type: "timestamp" },
              { name: "_source_file", type: "string" },
            ],
            partitionKeys: [
              { name: "year", type: "string" },
              { name: "month", type: "string" },
            ],
            values: ["2026", "11"],
          },
        ]);
      }),
    );

  it.live("that is found invalid late leaves nothing but its copy and the reason", () =>
    Effect.gen(function* () {
      const { exit, written } = yield* runPipeline(Buffer.from(`${sales}"never closed`));
      assert(exit._tag === "Failure");
      assert.strictEqual(exit.failure._tag, "CsvQuoteUnclosed");
      assert.deepStrictEqual(Object.keys(written), [
        "errors/incoming/shop/sales.csv.e1",
        "errors/incoming/shop/sales.csv.e1.reason.json",
      ]);
    }),
  );

  it("is told by its size and name alone", () => {
    const mebibyte = 1024 * 1024;
    assert.isFalse(isInParts({ key: "a.csv", sizeBytes: 64 * mebibyte }, {}));
    assert.isTrue(isInParts({ key: "a.csv", sizeBytes: 64 * mebibyte + 1 }, {}));
    assert.isFalse(isInParts({ key: "a.csv.gz", sizeBytes: 8 * mebibyte }, {}));
    assert.isTrue(isInParts({ key: "a.csv.gz", sizeBytes: 8 * mebibyte + 1 }, {}));
  });

  it.live("whose rows end with a part has no empty part behind it", () =>
    Effect.gen(function* () {
      const text = `id,name\n${rows.slice(0, 200).join("\n")}\n`;
      const { exit } = yield* runPipeline(Buffer.from(text));
      assert(exit._tag === "Success");
      assert.lengthOf(exit.success.outputs, 2);
      assert.strictEqual(exit.success.report.rowsOut, 200);
    }),
  );
});
