/**
 * Goal: a declared schema becomes exactly the columns it says, or a failure that names the field; each kind reads its
 * text by its rule and refuses the rest.
 * Method: tables, and properties by fast-check with its printed seed.
 */
import { assert, describe, it } from "@effect/vitest";
import { Result, Schema } from "effect";
import * as fc from "fast-check";
import { Column, columnPlan, type ColumnPlan } from "../src/index.ts";
import { cellReader } from "../src/schema/readCell.ts";

const kindsOf = (fields: Schema.Struct.Fields) =>
  Result.getOrThrow(columnPlan(Schema.Struct(fields))).map(({ optional, plan }) => [
    plan.name,
    plan.kind,
    plan.nullable,
    optional,
  ]);

describe("columnPlan", () => {
  it("gives every supported field its kind, nullable and optional as declared", () => {
    assert.deepStrictEqual(
      kindsOf({
        a: Column.text,
        b: Schema.Literals(["x", "y"]),
        c: Column.boolean,
        d: Column.int32,
        e: Schema.Int,
        f: Column.int64,
        g: Schema.BigInt,
        h: Column.double,
        i: Column.decimal(12, 2),
        j: Column.date,
        k: Schema.DateTimeUtc,
        l: Schema.Date,
        m: Column.json,
        n: Schema.NullOr(Column.date),
        o: Schema.optionalKey(Column.int32),
        p: Schema.optional(Schema.NullOr(Schema.Literals(["x"]))),
        q: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })),
        r: Column.decimal(5, 1).check(Schema.makeFilter(() => true)),
      }),
      [
        ["a", "text", false, false],
        ["b", "text", false, false],
        ["c", "boolean", false, false],
        ["d", "int32", false, false],
        ["e", "int64", false, false],
        ["f", "int64", false, false],
        ["g", "int64", false, false],
        ["h", "double", false, false],
        ["i", "decimal", false, false],
        ["j", "date", false, false],
        ["k", "timestamp", false, false],
        ["l", "timestamp", false, false],
        ["m", "json", false, false],
        ["n", "date", true, false],
        ["o", "int32", true, true],
        ["p", "text", true, true],
        ["q", "int32", false, false],
        ["r", "decimal", false, false],
      ],
    );
  });

  const refused: ReadonlyArray<readonly [string, Schema.Struct.Fields, RegExp]> = [
    ["an array", { tags: Schema.Array(Schema.String) }, /"tags".*several values; use Column\.json/],
    ["a struct", { at: Schema.Struct({ x: Schema.Int }) }, /"at".*several values/],
    ["a transformation", { n: Schema.FiniteFromString }, /"n".*transformation/],
    ["a bare BigDecimal", { price: Schema.BigDecimal }, /"price".*precision and scale/],
    ["a decimal too wide", { price: Column.decimal(39, 2) }, /decimal\(39, 2\)/],
    ["a scale beyond the precision", { price: Column.decimal(3, 4) }, /decimal\(3, 4\)/],
    ["literals of numbers", { n: Schema.Literals([1, 2]) }, /"n".*literals/],
    ["a union of types", { n: Schema.Union([Schema.String, Schema.Int]) }, /"n".*Union/],
    ["unknown", { n: Schema.Unknown }, /"n".*Unknown/],
    ["a symbol", { n: Schema.Symbol }, /"n".*Symbol/],
    ["a reserved name", { _source_file: Schema.String }, /"_source_file".*reserved/],
    ["two names that a header cannot tell apart", { A: Schema.Int, " a": Schema.Int }, /" a".*"A"/],
    ["no field", {}, /no fields/],
  ];
  for (const [what, fields, message] of refused) {
    it(`refuses ${what}, naming the field and what is supported`, () => {
      const plan = columnPlan(Schema.Struct(fields));
      assert(Result.isFailure(plan));
      assert.match(plan.failure.message, message);
      assert.include(plan.failure.message, "Supported are");
    });
  }
});

const readerOf = (schema: Schema.Struct.Fields[string]) => {
  const [column] = Result.getOrThrow(columnPlan(Schema.Struct({ c: schema })));
  assert.isDefined(column);
  const read = cellReader(column.plan, "refuse");
  return (text: string) => {
    const value = read(text);
    return value !== undefined && (column.accepts?.(value) ?? true) ? value : undefined;
  };
};

const day = 86_400_000;

describe("the text of a cell", () => {
  const table: ReadonlyArray<
    readonly [string, Schema.Struct.Fields[string], ReadonlyArray<readonly [string, unknown]>]
  > = [
    [
      "int32",
      Column.int32,
      [
        ["2147483647", 2_147_483_647],
        ["-2147483648", -2_147_483_648],
        ["2147483648", undefined],
        [" 007 ", 7],
        ["-0", 0],
        ["+5", 5],
        ["1.0", undefined],
        ["1e3", undefined],
        ["12abc", undefined],
        ["", undefined],
        ["0x10", undefined],
      ],
    ],
    [
      "int64",
      Column.int64,
      [
        ["9223372036854775807", 9_223_372_036_854_775_807n],
        ["-9223372036854775808", -9_223_372_036_854_775_808n],
        ["9223372036854775808", undefined],
        ["9007199254740993", 9_007_199_254_740_993n],
        ["+1", 1n],
        ["9".repeat(50), undefined],
      ],
    ],
    [
      "Int",
      Schema.Int,
      [
        ["9007199254740991", 9_007_199_254_740_991n],
        ["9007199254740993", undefined],
      ],
    ],
    [
      "double",
      Column.double,
      [
        ["1.5e3", 1500],
        [".5", 0.5],
        ["1,234.5", undefined],
        ["NaN", undefined],
        ["Infinity", undefined],
        ["1e999", undefined],
      ],
    ],
    [
      "decimal(5, 2)",
      Column.decimal(5, 2),
      [
        ["1.005", undefined],
        ["1.00500", undefined],
        ["1.01000", 101n],
        ["-999.99", -99_999n],
        ["1000.00", undefined],
        ["007.5", 750n],
        ["5", 500n],
        [".5", 50n],
        ["-0.0", 0n],
        [".", undefined],
        ["", undefined],
        ["1e2", undefined],
      ],
    ],
    [
      "boolean",
      Column.boolean,
      [
        ["TRUE", true],
        ["false", false],
        ["1", undefined],
        ["yes", undefined],
      ],
    ],
    [
      "date",
      Column.date,
      [
        ["1969-12-31", -1],
        ["0001-01-01", -719_162],
        ["2023-02-30", undefined],
        ["2023-02-28T12:00", undefined],
        ["2023-02-28T00:00Z", 19_416],
      ],
    ],
    [
      "timestamp",
      Column.timestamp,
      [
        ["1969-12-31T23:59:59.999Z", -1],
        ["1970-01-02", day],
        ["soon", undefined],
      ],
    ],
    [
      "json",
      Column.json,
      [
        ['{"a": 12345678901234567890}', '{"a": 12345678901234567890}'],
        ["{a:1}", undefined],
      ],
    ],
    [
      "literals",
      Schema.Literals(["open", "paid"]),
      [
        ["open", "open"],
        ["Open", undefined],
      ],
    ],
    [
      "a checked text",
      Schema.String.check(Schema.isMinLength(2)),
      [
        ["ab", "ab"],
        ["a", undefined],
      ],
    ],
    [
      "a checked number",
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
      [
        ["5", 5],
        ["6", undefined],
      ],
    ],
  ];
  for (const [name, schema, cases] of table) {
    it(`of ${name} gives the value, or nothing`, () => {
      const read = readerOf(schema);
      for (const [text, expected] of cases) assert.strictEqual(read(text), expected, text);
    });
  }

  it("of a decimal is exact for every value of every precision", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 38 }), fc.nat(38), fc.nat(), (precision, at, seed) => {
        const scale = at % (precision + 1);
        const plan: ColumnPlan = { name: "c", kind: "decimal", nullable: false, precision, scale };
        const unscaled =
          (BigInt(seed) * 7_919_000_000_000_000_003n ** 2n) % 10n ** BigInt(precision);
        const digits = unscaled.toString().padStart(scale + 1, "0");
        const point = digits.length - scale;
        const text = `-${digits.slice(0, point)}.${digits.slice(point)}`;
        assert.strictEqual(cellReader(plan, "refuse")(text), -unscaled);
      }),
    );
  });
});
