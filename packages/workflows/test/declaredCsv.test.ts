/**
 * Goal: with a declared schema the Parquet file has exactly the declared types and values, and a row that does not fit is
 * rejected with its line, column and reason.
 * Method: small files by hand, read back by DuckDB and hyparquet.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect, Result, Schema } from "effect";
import { Column, columnPlan, type CsvOptions } from "../src/index.ts";
import { bytesOf, chunked, queryDuckDb, readHyparquet, run } from "./support.ts";

const declare = (fields: Schema.Struct.Fields): Partial<CsvOptions> => ({
  columns: Result.getOrThrow(columnPlan(Schema.Struct(fields))),
});

const everything = declare({
  id: Column.int64,
  small: Column.int32,
  ratio: Schema.NullOr(Column.double),
  price: Column.decimal(12, 2),
  huge: Schema.NullOr(Column.decimal(38, 10)),
  nine: Schema.NullOr(Column.decimal(9, 3)),
  paid: Column.boolean,
  day: Schema.NullOr(Column.date),
  at: Schema.NullOr(Column.timestamp),
  status: Schema.Literals(["open", "東京"]),
  note: Schema.NullOr(Column.text),
  extra: Schema.NullOr(Column.json),
});

const header = "id,small,ratio,price,huge,nine,paid,day,at,status,note,extra";
const rows = [
  '9223372036854775807,2147483647,1.5,1.01,-9999999999999999999999999999.9999999999,-999999.999,true,1969-12-31,1969-12-31T23:59:59.999Z,open,é😀,"{""a"":9007199254740993}"',
  "-9223372036854775808,-2147483648,-0.1,-9999999999.99,0.0000000001,0.001,FALSE,0001-01-01,9999-12-31,東京,,",
  "0,0,,0,,,false,,,open,,null",
];

describe("declared columns", () => {
  it.effect("become Parquet types of the same names, exact at their limits", () =>
    Effect.gen(function* () {
      const { file, rejects, report } = yield* run(`${header}\n${rows.join("\n")}\n`, everything);
      assert.deepStrictEqual(rejects, []);
      const types = yield* queryDuckDb(file, "describe select * from FILE");
      assert.deepStrictEqual(
        types.map((one) => [one["column_name"], one["column_type"]]),
        [
          ["id", "BIGINT"],
          ["small", "INTEGER"],
          ["ratio", "DOUBLE"],
          ["price", "DECIMAL(12,2)"],
          ["huge", "DECIMAL(38,10)"],
          ["nine", "DECIMAL(9,3)"],
          ["paid", "BOOLEAN"],
          ["day", "DATE"],
          ["at", "TIMESTAMP WITH TIME ZONE"],
          ["status", "VARCHAR"],
          ["note", "VARCHAR"],
          ["extra", "JSON"],
          ["_processed_at", "TIMESTAMP WITH TIME ZONE"],
          ["_source_file", "VARCHAR"],
        ],
      );
      const found = yield* queryDuckDb(
        file,
        'select id::varchar id, small, ratio, price::varchar price, huge::varchar huge, nine::varchar nine, paid, day::varchar as day, epoch_ms("at")::varchar as "at", status, note, extra::varchar extra from FILE',
      );
      assert.deepStrictEqual(found, [
        {
          id: "9223372036854775807",
          small: 2_147_483_647,
          ratio: 1.5,
          price: "1.01",
          huge: "-9999999999999999999999999999.9999999999",
          nine: "-999999.999",
          paid: true,
          day: "1969-12-31",
          at: "-1",
          status: "open",
          note: "é😀",
          extra: '{"a":9007199254740993}',
        },
        {
          id: "-9223372036854775808",
          small: -2_147_483_648,
          ratio: -0.1,
          price: "-9999999999.99",
          huge: "0.0000000001",
          nine: "0.001",
          paid: false,
          day: "0001-01-01",
          at: String(Date.UTC(9999, 11, 31)),
          status: "東京",
          note: null,
          extra: null,
        },
        {
          id: "0",
          small: 0,
          ratio: null,
          price: "0.00",
          huge: null,
          nine: null,
          paid: false,
          day: null,
          at: null,
          status: "open",
          note: null,
          extra: "null",
        },
      ]);
      assert.strictEqual(report.columns.find(({ name }) => name === "price")?.kind, "decimal");
      const [, second] = yield* readHyparquet(file);
      assert.strictEqual(second?.["id"], -9_223_372_036_854_775_808n);
      assert.strictEqual(second?.["small"], -2_147_483_648);
    }),
  );

  it.effect("are found by filters on every column: the statistics are true", () =>
    Effect.gen(function* () {
      const { file } = yield* run(`${header}\n${rows.join("\n")}\n`, {
        ...everything,
        rowGroupRowsMax: 1,
      });
      for (const where of [
        "id = 9223372036854775807",
        "id = -9223372036854775808",
        "small = -2147483648",
        "ratio < 0",
        "price = -9999999999.99",
        "huge = 0.0000000001",
        "huge < -9999999999999999999999999999",
        "nine = -999999.999",
        "paid",
        "day = date '1969-12-31'",
        "day < date '0002-01-01'",
        "\"at\" < timestamptz '1970-01-01 00:00:00+00'",
        "status = '東京'",
        "note = 'é😀'",
      ])
        assert.deepStrictEqual(
          yield* queryDuckDb(file, `select count(*)::int n from FILE where ${where}`),
          [{ n: 1 }],
          where,
        );
    }),
  );

  it.effect("are matched by name, in any order, and written in the declared one", () =>
    Effect.gen(function* () {
      const { file } = yield* run("B B,a\n1,x\n", declare({ a: Column.text, "b b": Column.int32 }));
      const [row] = yield* readHyparquet(file);
      assert.deepStrictEqual(Object.keys(row ?? {}).slice(0, 2), ["a", "b b"]);
      assert.strictEqual(row?.["b b"], 1);
    }),
  );

  it.effect("may be missing from the file only when they are optional", () =>
    Effect.gen(function* () {
      const optional = declare({ a: Column.int32, b: Schema.optionalKey(Column.date) });
      const { file } = yield* run("a\n1\n", optional);
      assert.strictEqual((yield* readHyparquet(file))[0]?.["b"], null);
      const failure = yield* Effect.flip(
        run("a\n1\n", declare({ a: Column.int32, b: Schema.NullOr(Column.date) })),
      );
      assert(failure._tag === "CsvColumnsMissing");
      assert.deepStrictEqual(failure.columns, ["b"]);
    }),
  );

  it.effect("refuse a column that they do not know, or leave it out and say so", () =>
    Effect.gen(function* () {
      const columns = declare({ a: Column.int32 });
      const failure = yield* Effect.flip(run("a,Was B,4111111111111111\n1,2,3\n", columns));
      assert(failure._tag === "CsvColumnsUnknown");
      assert.deepStrictEqual(failure.columns, ["was_b", "<withheld: looks like data>"]);
      const { file, report } = yield* run("a,b\n1,2\n", {
        ...columns,
        undeclaredColumns: "ignore",
      });
      assert.deepStrictEqual(report.ignored, ["b"]);
      assert.notProperty((yield* readHyparquet(file))[0], "b");
    }),
  );

  it.effect("take an empty cell for null, for an empty required text, or for a reject", () =>
    Effect.gen(function* () {
      const { file, rejects } = yield* run(
        "a,b,c\n,1,x\n,,x\n",
        declare({ a: Column.text, b: Column.int32, c: Column.text }),
      );
      assert.strictEqual((yield* readHyparquet(file))[0]?.["a"], "");
      assert.strictEqual(rejects.length, 1);
    }),
  );
});

describe("rows that do not fit", () => {
  const columns = declare({ id: Column.int32, amount: Column.decimal(5, 2) });
  const text = `id,amount\n1,1.00\nsecret-4711,2.00\n2,12.345\n3,3.00\n"4\n",4.0\n`;

  it.effect("are rejected with line, column and reason, and the reason quotes no cell", () =>
    Effect.gen(function* () {
      const { rejects, report } = yield* run(text, columns);
      assert.deepStrictEqual(rejects, [
        {
          line: 3,
          reason: "does-not-fit",
          column: "id",
          detail: 'column "id" takes a whole number of 32 bits',
          raw: "secret-4711,2.00",
          cut: false,
        },
        {
          line: 4,
          reason: "does-not-fit",
          column: "amount",
          detail: 'column "amount" takes a decimal of at most 5 digits, 2 of them behind the point',
          raw: "2,12.345",
          cut: false,
        },
      ]);
      assert.strictEqual(report.rowsOut, 3);
      assert.strictEqual(report.rowsIn, 5);
    }),
  );

  it.effect("are the same, and so is the Parquet, however the file is chunked", () =>
    Effect.gen(function* () {
      const whole = yield* run(text, columns);
      for (const size of [1, 3, 7]) {
        const again = yield* run(chunked(bytesOf(text), size), columns);
        assert.deepStrictEqual(again.rejects, whole.rejects);
        assert.isTrue(Buffer.from(again.file).equals(whole.file));
      }
    }),
  );

  it.effect("are counted each, also when they equal an earlier one", () =>
    Effect.gen(function* () {
      const { report } = yield* run("id,amount\nx,1\nx,1\n1,1\n1,1\n", columns);
      assert.strictEqual(report.rowsRejected, 2);
      assert.strictEqual(report.duplicates, 1);
    }),
  );

  it.effect("end the file when they are all, and the failure quotes no cell", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(run("id,amount\nsecret,1\n", columns));
      assert.strictEqual(failure._tag, "CsvTooManyRejects");
      assert.notInclude(failure.message, "secret");
    }),
  );
});

describe("parquetjs-lite", () => {
  it.effect("refuses columns that it cannot write exactly, and writes the others", () =>
    Effect.gen(function* () {
      for (const field of [Column.int64, Column.decimal(9, 2)]) {
        const failure = yield* Effect.flip(run("a\n1\n", declare({ a: field }), "parquetjs-lite"));
        assert.strictEqual(failure._tag, "ParquetEncodingFailed");
        assert.include(failure.message, "layerHyparquet");
      }
      const others = declare({
        a: Schema.NullOr(Column.int32),
        b: Column.double,
        c: Column.boolean,
        d: Column.date,
        e: Column.json,
      });
      const { file } = yield* run(
        'a,b,c,d,e\n-5,1.5,true,1969-12-30,"{""x"":1}"\n,2,false,2020-02-29,[]\n',
        others,
        "parquetjs-lite",
      );
      assert.deepStrictEqual(
        yield* queryDuckDb(file, "select a, b, c, d::varchar d, e::varchar e from FILE"),
        [
          { a: -5, b: 1.5, c: true, d: "1969-12-30", e: '{"x":1}' },
          { a: null, b: 2, c: false, d: "2020-02-29", e: "[]" },
        ],
      );
    }),
  );
});
