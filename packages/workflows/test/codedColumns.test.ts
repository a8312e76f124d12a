/**
 * Goal: a column that is collected as different values and their numbers holds what its rows hold, and is written as if it
 * had been given row by row.
 * Method: random columns; hyparquet-writer, which gets them row by row, is the reference, byte for byte.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import * as fc from "fast-check";
import { RecordCells } from "../src/csv/RecordCells.ts";
import { makeRowHash, RowHasher } from "../src/csv/RowHash.ts";
import { columnValues } from "../src/csv/ColumnBuilder.ts";
import { DateBuilder } from "../src/csv/DateBuilder.ts";
import { TextBuilder } from "../src/csv/TextBuilder.ts";
import type { ColumnPlan, GroupColumn } from "../src/parquet/ColumnPlan.ts";
import { packTexts } from "../src/parquet/PackedTexts.ts";
import { rowValues } from "../src/parquet/rowValues.ts";
import { ParquetEncoder } from "../src/index.ts";
import type { CellValue } from "../src/schema/readCell.ts";
import { encoders, readHyparquet } from "./support.ts";

const text: ColumnPlan = { name: "v", kind: "text", nullable: true };

const write = (plan: ColumnPlan, column: GroupColumn, rows: number) =>
  Effect.gen(function* () {
    const encoder = yield* ParquetEncoder;
    const chunks: Array<Uint8Array> = [];
    const sink = (bytes: Uint8Array) => Effect.sync(() => void chunks.push(bytes));
    const part = yield* encoder.open([plan], sink, "snappy");
    yield* part.writeRowGroup([column], rows);
    yield* part.finish;
    return Buffer.concat(chunks);
  }).pipe(Effect.provide(encoders["hyparquet-writer"]));

const codesOf = <A>(values: ReadonlyArray<A | null>) => {
  const different = [...new Set(values.filter((value) => value !== null))];
  const codes = Int32Array.from(values, (value) =>
    value === null ? -1 : different.indexOf(value),
  );
  return { different, codes };
};

const collect = (builder: TextBuilder | DateBuilder, rows: ReadonlyArray<string | null>) => {
  const cells = new RecordCells();
  for (const row of rows) {
    cells.loadTexts([row]);
    builder.add(cells, 0);
  }
  return builder.take();
};

const some = <A>(value: fc.Arbitrary<A>) =>
  fc.oneof(
    fc.array(fc.option(value), { minLength: 1, maxLength: 300 }),
    fc
      .array(value, { minLength: 1, maxLength: 4 })
      .chain((few) =>
        fc.array(fc.option(fc.constantFrom(...few)), { minLength: 1, maxLength: 300 }),
      ),
  );

const sample = <A>(rows: fc.Arbitrary<A>) => fc.sample(rows, { numRuns: 200, seed: 7 });

const kinds: ReadonlyArray<readonly [ColumnPlan, fc.Arbitrary<Array<CellValue | null>>]> = [
  [{ name: "v", kind: "timestamp", nullable: true }, some(fc.integer({ min: -1e12, max: 1e12 }))],
  [{ name: "v", kind: "int32", nullable: true }, some(fc.integer())],
  [{ name: "v", kind: "date", nullable: true }, some(fc.integer({ min: -1e5, max: 1e5 }))],
  [{ name: "v", kind: "double", nullable: true }, some(fc.integer({ min: 0, max: 9 }))],
  [
    { name: "v", kind: "int64", nullable: true },
    some(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  ],
  [
    { name: "v", kind: "decimal", precision: 5, scale: 2, nullable: true },
    some(fc.bigInt({ min: -99_999n, max: 99_999n })),
  ],
  [
    { name: "v", kind: "decimal", precision: 30, scale: 2, nullable: true },
    some(fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n })),
  ],
];

describe("a coded column is written as the library writes its rows", () => {
  it.effect("text", () =>
    Effect.gen(function* () {
      for (const rows of sample(some(fc.string({ unit: "binary", maxLength: 20 })))) {
        const { codes, different } = codesOf(rows);
        const coded = yield* write(text, packTexts(different, codes), rows.length);
        const reference = yield* write(text, { kind: "text", values: rows }, rows.length);
        assert.isTrue(coded.equals(reference));
      }
    }),
  );

  for (const [plan, values] of kinds)
    it.effect(JSON.stringify(plan), () =>
      Effect.gen(function* () {
        for (const rows of sample(values)) {
          const { codes, different } = codesOf(rows);
          const column = columnValues(plan.kind, different);
          const coded = yield* write(plan, { kind: "coded", values: column, codes }, rows.length);
          const reference = yield* write(plan, columnValues(plan.kind, rows), rows.length);
          assert.isTrue(coded.equals(reference));
        }
      }),
    );

  it.effect("text of more than a page, which is cut into pages", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 900 }, (_, row) => `${row}:${"é".repeat(2_000)}`);
      const { codes, different } = codesOf(rows);
      const coded = yield* write(text, packTexts(different, codes), rows.length);
      assert.isTrue(coded.equals(yield* write(text, { kind: "text", values: rows }, rows.length)));
      assert.deepStrictEqual(
        (yield* readHyparquet(coded)).map(({ v }) => v),
        rows,
      );
    }),
  );
});

describe("a collected column", () => {
  it("holds each row's text, whether texts repeat or begin to be different", () => {
    const cell = fc.oneof(fc.constantFrom("a", "é", "", "東京😀"), fc.nat().map(String));
    fc.assert(
      fc.property(fc.nat(3_000), fc.array(fc.option(cell), { maxLength: 2_000 }), (from, rest) => {
        const rows = [...Array.from({ length: from }, (_, row) => `${row}`), ...rest];
        const kept = collect(new TextBuilder(text, false), rows);
        assert.deepStrictEqual(rowValues(kept), { kind: "text", values: rows });
      }),
      { numRuns: 50 },
    );
  });

  it("holds each row's date, whether dates repeat or not", () => {
    for (const days of [7, 4_000]) {
      const rows = Array.from({ length: 5_000 }, (_, row) =>
        row % 11 === 0 ? "no date" : new Date((row % days) * 86_400_000).toISOString(),
      );
      const kept = collect(new DateBuilder("v", "refuse"), rows);
      const values = rows.map((row) => (row === "no date" ? null : Date.parse(row)));
      assert.deepStrictEqual(rowValues(kept), { kind: "timestamp", values });
    }
  });

  it("holds each row's text when all of them have one hash", () => {
    const cells = new RecordCells();
    const builder = new TextBuilder(text, false);
    const rows = Array.from({ length: 1_500 }, (_, row) => `${row % 700}`);
    for (const row of rows) {
      cells.loadTexts([row]);
      cells.hashes[0] = 7;
      builder.add(cells, 0);
    }
    assert.deepStrictEqual(rowValues(builder.take()), { kind: "text", values: rows });
  });
});

it("a row's hash is the one that stored parts of earlier versions have", () => {
  const cells = new RecordCells();
  const hash = makeRowHash();
  const hashOf = (row: ReadonlyArray<string | null>) => {
    cells.loadTexts(row);
    new RowHasher().hash(cells, hash);
    return [...hash];
  };
  assert.deepStrictEqual(hashOf(["1", "abc", ""]), [1698935421, 1672969743, 3964257422]);
  assert.deepStrictEqual(hashOf(["é😀", "東京", null]), [3962803774, 4036584239, 2336643865]);
});
