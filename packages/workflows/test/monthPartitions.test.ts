/**
 * Goal: rows of a dataset that is partitioned by a column lie in their months' folders, each once, whatever fails on the way;
 * a reader of the whole folder finds exactly them.
 * Method: the workflow on Effect's engine in memory, over a store in memory that fails where the test says; what it has
 * written is read back by DuckDB with the folders as columns.
 */
import { Catalog } from "@millrace/core";
import { DuckDBInstance } from "@duckdb/node-api";
import { assert, describe, it } from "@effect/vitest";
import { Clock, Effect, Layer, Result, Schema } from "effect";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { planCsvPipeline } from "../src/csvToParquet/CsvPipelineOptions.ts";
import { Column, type CsvPipelineOptions, Manifest } from "../src/index.ts";
import { executeCsv } from "./executeCsv.ts";
import { failingOnce } from "./failingOnce.ts";
import { makeMemoryStore, type StoredObject } from "./memoryStore.ts";
import { standingClock } from "./standingClock.ts";

const Order = Schema.Struct({
  id: Column.int64,
  orderedAt: Schema.NullOr(Column.timestamp),
  name: Column.text,
});

const registered: Array<string> = [];
const catalog = Layer.succeed(Catalog, {
  register: ({ location }, partitions) =>
    Effect.sync(() => {
      for (const one of partitions) registered.push(one.location.slice(location.length));
    }),
});
const dataset = { table: "orders", catalog, partitionBy: { column: "orderedAt" } } as const;

const runOrders = (text: string, options: CsvPipelineOptions = {}, failing?: RegExp) =>
  Effect.gen(function* () {
    const { objects, store } = makeMemoryStore();
    const bytes = Buffer.from(text);
    const key = "incoming/shop/orders.csv";
    objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
    registered.length = 0;
    const exit = yield* executeCsv({
      store: failingOnce(store, failing).layer,
      key,
      sizeBytes: bytes.length,
      options: { schema: Order, partRows: 50, dataset, ...options },
      version: 3,
    }).pipe(Effect.provideServiceEffect(Clock.Clock, standingClock));
    const written = new Map(
      [...objects]
        .filter(([name]) => !name.startsWith("raw/"))
        .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    );
    return { exit, written, partitions: [...registered] };
  });

/** Asks DuckDB about all Parquet files below the table's folder, with the folders' names as columns. */
const ask = (written: ReadonlyMap<string, StoredObject>, sql: string) =>
  Effect.promise(async () => {
    const folder = mkdtempSync(join(tmpdir(), "months-"));
    for (const [name, { bytes }] of written) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    const connection = await (await DuckDBInstance.create()).connect();
    const files = join(folder, "clean/processed/orders/**/*.parquet");
    const source = `read_parquet('${files}', hive_partitioning = true)`;
    const reader = await connection.runAndReadAll(sql.replaceAll("ORDERS", source));
    connection.closeSync();
    rmSync(folder, { recursive: true });
    return reader.getRowsJson();
  });

const days = [
  "2026-11-30T23:59:59.999Z",
  "2026-12-01T00:00:00Z",
  "1969-12-31T23:59:59.999Z",
  "1970-01-01",
  "",
  "1899-02-28",
  "2024-02-29T12:00:00+14:00",
  "0001-01-01",
];

/** 160 orders whose months take turns; every fifth of them comes once more, in a later part. */
const orders = Array.from({ length: 160 }, (_, id) => ({ id, day: days[id % days.length] ?? "" }));
const lineOf = ({ day, id }: (typeof orders)[number]) => `${id},${day},name ${id}`;
const text = `id,orderedAt,name\n${[
  ...orders.map(lineOf),
  ...orders.filter(({ id }) => id % 5 === 0).map(lineOf),
  "none,,is no number",
].join("\n")}\n`;

const monthsOfDays = [
  ["0001", "01"],
  ["1899", "02"],
  ["1969", "12"],
  ["1970", "01"],
  ["2024", "02"],
  ["2026", "11"],
  ["2026", "12"],
  ["__HIVE_DEFAULT_PARTITION__", "__HIVE_DEFAULT_PARTITION__"],
].map(([year, month]) => `year=${year}/month=${month}/`);

const table = "clean/processed/orders/";
const below = "2026-11-20/shop/orders";
const decodeManifest = Schema.decodeUnknownEffect(Schema.fromJsonString(Manifest));

describe("a dataset that is partitioned by a column", () => {
  it.live("has every row once, in the folder of its month", () =>
    Effect.gen(function* () {
      const { exit, written } = yield* runOrders(text);
      assert(Result.isSuccess(exit));
      assert.deepInclude(exit.success.report, {
        rowsIn: 193,
        rowsOut: 160,
        duplicates: 32,
        rowsRejected: 1,
      });
      const rows = yield* ask(
        written,
        `select id, epoch_ms("orderedAt"), name, year::int, month::int from ORDERS order by id`,
      );
      assert.deepStrictEqual(
        rows,
        orders.map(({ day, id }) => {
          const at = day === "" ? undefined : new Date(day);
          return [
            String(id),
            at === undefined ? null : String(at.getTime()),
            `name ${id}`,
            at === undefined ? null : at.getUTCFullYear(),
            at === undefined ? null : at.getUTCMonth() + 1,
          ];
        }),
      );
      assert.deepStrictEqual(
        yield* ask(written, "select count(*) from ORDERS where year = '2026' and month = '11'"),
        [["20"]],
      );
      assert.deepStrictEqual(
        yield* ask(written, "select count(*) from ORDERS where year is null"),
        [["20"]],
      );
    }),
  );

  it.live(
    "has one object for each month of a part, a manifest that names them, and all months registered",
    () =>
      Effect.gen(function* () {
        const { exit, partitions, written } = yield* runOrders(text);
        assert(Result.isSuccess(exit));
        const parts = ["part-00001", "part-00002", "part-00003", "part-00004"];
        const files = parts.flatMap((part, index) =>
          // The last ten rows are of days 6, 7, 0, 1 and so on: every month has some.
          monthsOfDays.map((month) => ({
            part: index,
            key: `${table}${month}${below}/${part}.parquet`,
          })),
        );
        const parquet = [...written.keys()].filter((name) => name.endsWith(".parquet"));
        assert.sameMembers(
          parquet,
          files.map(({ key }) => key),
        );
        assert.sameMembers(
          [...written.keys()].filter((name) => !name.endsWith(".parquet")),
          [
            `${table}_files/${below}/_manifest.json`,
            `${table}_files/${below}/_part-00004.rejects.csv`,
          ],
        );
        assert.deepStrictEqual(partitions, monthsOfDays);
        assert.strictEqual(
          exit.success.manifest?.key,
          `processed/orders/_files/${below}/_manifest.json`,
        );
        const manifest = yield* decodeManifest(
          Buffer.from(written.get(`${table}_files/${below}/_manifest.json`)?.bytes ?? []).toString(
            "utf8",
          ),
        );
        assert.sameMembers(
          manifest.parts.map(
            ({ key, partition }) => `clean/${key} ${partition?.year} ${partition?.month}`,
          ),
          files.map(({ key }) => {
            const [, year = "", month = ""] = /year=([^/]+)\/month=([^/]+)\//.exec(key) ?? [];
            return `${key} ${year} ${month}`;
          }),
        );
        assert.strictEqual(
          manifest.parts.reduce((sum, { rows }) => sum + rows, 0),
          160,
        );
        assert.deepStrictEqual(
          exit.success.report.parts.map(({ rows }) => rows),
          [50, 50, 50, 10],
        );
        assert.sameMembers(
          exit.success.outputs.map(({ bucket, key }) => `${bucket}/${key}`),
          parquet,
        );
      }),
  );

  for (const failing of [
    /year=1969.*part-00001/,
    /year=2026\/month=12.*part-00003/,
    /__HIVE.*part-00004/,
    /00002\.hashes$/,
  ])
    it.live(`is the same when ${failing.source} fails once`, () =>
      Effect.gen(function* () {
        const expected = yield* runOrders(text);
        const { exit, partitions, written } = yield* runOrders(text, {}, failing);
        assert.deepStrictEqual(exit, expected.exit);
        assert.deepStrictEqual(written, expected.written);
        assert.deepStrictEqual(partitions, expected.partitions);
      }),
    );

  it.live("is written by the stream engine, and says why", () =>
    Effect.gen(function* () {
      const expected = yield* runOrders(text);
      const { exit, written } = yield* runOrders(text, { engine: "duckdb" });
      assert(Result.isSuccess(exit));
      assert.deepStrictEqual(exit.success.report.engine, {
        name: "stream",
        reason: 'its rows go to the months of "orderedAt"',
      });
      assert.deepStrictEqual([...written.keys()], [...expected.written.keys()]);
    }),
  );

  for (const [months, isTaken] of [
    [100, true],
    [101, false],
  ] as const)
    it.live(`with ${months} months in one part is ${isTaken ? "taken" : "refused whole"}`, () =>
      Effect.gen(function* () {
        // A part of one month comes first: what it leaves must go, too.
        const first = Array.from({ length: 101 }, (_, id) => `${id},2026-11-20,first`);
        const many = Array.from({ length: months }, (_, index) => {
          const month = String((index % 12) + 1).padStart(2, "0");
          return `${index},${1900 + Math.floor(index / 12)}-${month}-01,many`;
        });
        const { exit, partitions, written } = yield* runOrders(
          `id,orderedAt,name\n${[...first, ...many].join("\n")}\n`,
          { partRows: 101 },
        );
        if (isTaken) {
          assert(Result.isSuccess(exit));
          assert.lengthOf(partitions, 101);
          return;
        }
        assert(Result.isFailure(exit));
        assert.strictEqual(exit.failure._tag, "CsvTooManyMonths");
        assert.include(exit.failure.message, "more than 100 months in its part 2");
        assert.deepStrictEqual(partitions, []);
        assert.isFalse([...written.keys()].some((name) => name.startsWith("clean/")));
      }),
    );

  it.live("whose file is found invalid late keeps nothing of its months", () =>
    Effect.gen(function* () {
      const { exit, partitions, written } = yield* runOrders(`${text}"never closed`);
      assert(Result.isFailure(exit));
      assert.strictEqual(exit.failure._tag, "CsvQuoteUnclosed");
      assert.deepStrictEqual(partitions, []);
      assert.isFalse([...written.keys()].some((name) => name.startsWith("clean/")));
    }),
  );

  it.live("has no object and no month of a file without rows, but its manifest", () =>
    Effect.gen(function* () {
      const { exit, partitions, written } = yield* runOrders("id,orderedAt,name\n");
      assert(Result.isSuccess(exit));
      assert.deepStrictEqual(exit.success.outputs, []);
      assert.deepStrictEqual(partitions, []);
      assert.deepStrictEqual([...written.keys()], [`${table}_files/${below}/_manifest.json`]);
    }),
  );
});

describe("the column of a partition", () => {
  const refused = [
    ["that nothing declares", "ordered_at", "nothing declares it"],
    ["that is no date", "name", "it is text"],
  ] as const;
  it.each(refused)("is refused %s, before any file comes", (_, column, found) => {
    const planned = planCsvPipeline({
      schema: Order,
      dataset: { ...dataset, partitionBy: { column } },
    });
    assert(Result.isFailure(planned));
    assert.deepInclude(planned.failure, {
      _tag: "PartitionUnsupported",
      table: "orders",
      column,
      found,
    });
  });

  it("is refused without a declared schema", () => {
    assert.isTrue(Result.isFailure(planCsvPipeline({ dataset })));
  });

  it("is taken when it is a date or a timestamp, and the event needs none", () => {
    const Day = Schema.Struct({ day: Column.date });
    for (const options of [
      { schema: Order, dataset },
      { schema: Day, dataset: { ...dataset, partitionBy: { column: "day" } } },
      { dataset: { ...dataset, partitionBy: "event" as const } },
    ])
      assert.isTrue(Result.isSuccess(planCsvPipeline(options)));
  });
});
