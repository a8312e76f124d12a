/**
 * Goal: what the DuckDB engine writes is read rightly by a reader that is not DuckDB, and a filter on any column finds its
 * rows: through statistics of text beyond ASCII, of integers at their limits, of dates before 1970; decimals are exact.
 * Method: one row of every kind at its limits among plain ones, in both codecs, read by hyparquet and by DuckDB.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Layer, Result, Schema, Stream } from "effect";
import { parquetQuery, type ParquetQueryFilter } from "hyparquet";
import { zstdDecompressSync } from "node:zlib";
import { duckPass } from "../src/duckdb/duckPass.ts";
import { Column, columnPlan, layerHyparquet } from "../src/index.ts";
import { bytesOf, processedAtEpochMs, queryDuckDb, readHyparquet } from "./support.ts";

const columns = Result.getOrThrow(
  columnPlan(
    Schema.Struct({
      id: Column.int64,
      n: Column.int32,
      x: Column.double,
      amount: Column.decimal(38, 4),
      small: Column.decimal(9, 2),
      day: Column.date,
      moment: Column.timestamp,
      ok: Column.boolean,
      note: Schema.NullOr(Column.text),
    }),
  ),
);

const lines = [
  "9223372036854775807,2147483647,1.7976931348623157e308,9999999999999999999999999999999999.9999,9999999.99,9999-12-31,2024-02-29T23:59:59.999Z,true,東京",
  "-9223372036854775808,-2147483648,5e-324,-9999999999999999999999999999999999.9999,-0.01,0001-01-01,1969-12-31 23:59:59.999,false,\u{FFEE}",
  "0,0,0.1,0.0001,0.10,1969-12-31,1600-02-29T00:00:00Z,true,😀",
  "9007199254740993,7,-1.5,1.5000,12.50,1970-01-01,1970-01-01T00:00:00Z,false,",
  ...Array.from(
    { length: 500 },
    (_, index) =>
      `${index + 10},${index + 10},${index}.25,${index}.0100,${index}.05,2001-02-03,2001-02-03T04:05:06.007Z,true,zz${index}`,
  ),
];

const write = (codec: "snappy" | "zstd") =>
  Effect.gen(function* () {
    const bytes: Array<Uint8Array> = [];
    const text = `id,n,x,amount,small,day,moment,ok,note\n${lines.join("\n")}\n`;
    const options = { source: "in", sourceFile: "é/in.csv", processedAtEpochMs, columns, codec };
    yield* duckPass(
      options,
      () => Stream.make(bytesOf(text)),
      () =>
        Effect.succeed({
          parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
          rejects: () => Effect.void,
          end: () => Effect.void,
        }),
    );
    return new Uint8Array(Buffer.concat(bytes));
  }).pipe(Effect.provide(Layer.merge(layerHyparquet, NodeServices.layer)));

const query = (file: Uint8Array, filter: ParquetQueryFilter) =>
  Effect.promise(() =>
    parquetQuery({
      file: file.slice().buffer,
      filter,
      compressors: { ZSTD: (bytes) => new Uint8Array(zstdDecompressSync(bytes)) },
    }),
  );

/** What hyparquet gives for the first four rows. */
const first = [
  {
    id: 9_223_372_036_854_775_807n,
    n: 2_147_483_647,
    x: 1.797_693_134_862_315_7e308,
    small: 9_999_999.99,
    day: new Date("9999-12-31"),
    moment: new Date("2024-02-29T23:59:59.999Z"),
    ok: true,
    note: "東京",
  },
  {
    id: -9_223_372_036_854_775_808n,
    n: -2_147_483_648,
    x: 5e-324,
    small: -0.01,
    day: new Date("0001-01-01"),
    moment: new Date("1969-12-31T23:59:59.999Z"),
    ok: false,
    note: "\u{FFEE}",
  },
  {
    id: 0n,
    n: 0,
    x: 0.1,
    small: 0.1,
    day: new Date("1969-12-31"),
    moment: new Date("1600-02-29"),
    ok: true,
    note: "😀",
  },
  {
    id: 9_007_199_254_740_993n,
    n: 7,
    x: -1.5,
    small: 12.5,
    day: new Date("1970-01-01"),
    moment: new Date(0),
    ok: false,
    note: null,
  },
];

/** The same as SQL literals, for DuckDB's filters. */
const literals: Readonly<Record<string, ReadonlyArray<string>>> = {
  id: ["9223372036854775807", "(-9223372036854775808)::bigint", "0", "9007199254740993"],
  n: ["2147483647", "-2147483648", "0", "7"],
  x: ["1.7976931348623157e308", "5e-324::double", "0.1::double", "-1.5"],
  amount: [
    "9999999999999999999999999999999999.9999",
    "-9999999999999999999999999999999999.9999",
    "0.0001",
    "1.5",
  ],
  small: ["9999999.99", "-0.01", "0.10", "12.50"],
  day: ["date '9999-12-31'", "date '0001-01-01'", "date '1969-12-31'", "date '1970-01-01'"],
  moment: [
    "timestamptz '2024-02-29 23:59:59.999Z'",
    "timestamptz '1969-12-31 23:59:59.999Z'",
    "timestamptz '1600-02-29 00:00:00Z'",
    "timestamptz '1970-01-01 00:00:00Z'",
  ],
  note: ["'東京'", "'\u{FFEE}'", "'😀'"],
};

describe.each(["snappy", "zstd"] as const)("a file of the DuckDB engine, %s", (codec) => {
  it.live("is read by hyparquet, value by value", () =>
    Effect.gen(function* () {
      const rows = yield* Effect.flatMap(write(codec), readHyparquet);
      assert.lengthOf(rows, lines.length);
      for (const [index, wanted] of first.entries()) {
        const { amount: _inexact, _processed_at, _source_file, ...row } = rows[index] ?? {};
        assert.deepStrictEqual(row, wanted);
        assert.deepStrictEqual(_processed_at, new Date(processedAtEpochMs));
        assert.strictEqual(_source_file, "é/in.csv");
      }
    }),
  );

  it.live("gives hyparquet the rows of a filter on any column", () =>
    Effect.gen(function* () {
      const file = yield* write(codec);
      for (const wanted of first)
        for (const [column, value] of Object.entries(wanted)) {
          if (column === "ok") continue;
          const filter =
            value instanceof Date
              ? { [column]: { $gte: value, $lte: value } }
              : { [column]: { $eq: value } };
          const ids = (yield* query(file, filter)).map(({ id }) => id);
          assert.deepStrictEqual(ids, [wanted.id], column);
        }
    }),
  );

  it.live("gives DuckDB the rows of a filter on any column, and decimals exactly", () =>
    Effect.gen(function* () {
      const file = yield* write(codec);
      for (const [column, values] of Object.entries(literals))
        for (const [index, value] of values.entries()) {
          const found = yield* queryDuckDb(
            file,
            `select id::varchar id, amount::varchar a from FILE where ${column} = ${value}`,
          );
          const [id = "", , , a] = (lines[index] ?? "").split(",");
          assert.deepStrictEqual(found, [{ id, a: a ?? "" }], `${column} = ${value}`);
        }
    }),
  );
});
