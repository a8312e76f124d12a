/**
 * Goal: the proposed schema is source that compiles to a schema which takes every row it was inferred from, and is text
 * where a number would lose something.
 * Method: tables; and files made by fast-check, whose printed source is run and given to a pass.
 */
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Result, Schema, Stream } from "effect";
import * as fc from "fast-check";
import {
  Column,
  columnPlan,
  inferSchema,
  renderField,
  renderSchema,
  type RowSchema,
  schemaName,
} from "../src/index.ts";
import { bytesOf, run } from "./support.ts";

const infer = (content: string | Uint8Array, sampleBytes = 8 * 1024 * 1024) =>
  inferSchema(
    { source: "in.csv" },
    Stream.make(typeof content === "string" ? bytesOf(content) : content),
    sampleBytes,
  );

const fieldsOf = (...texts: ReadonlyArray<string>) =>
  Effect.map(
    infer(`c,x\n${texts.map((text) => `"${text.replaceAll('"', '""')}",x\n`).join("")}`),
    (found) => found.columns.slice(0, 1).map(renderField).join(),
  );

const isRowSchema = (made: unknown): made is RowSchema => Schema.isSchema(made) && "fields" in made;

/** Runs the printed module's one statement. */
const evaluate = (source: string): RowSchema => {
  const statement = source.replaceAll(/^import .*$/gm, "").replace(/^export const \w+ =/m, "");
  const made: unknown = runInNewContext(statement, { Schema, Column });
  assert(isRowSchema(made));
  return made;
};

const quote = (text: string) => `"${text.toWellFormed().replaceAll(/["\0]/g, '""')}"`;

describe("inferSchema", () => {
  const table: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["1", "-20", "300"], "Column.int32"],
    [["1", "300000000"], "Column.int64"],
    [["999999999999999"], "Column.int64"],
    [["4111111111111111"], "Column.text"],
    [["007", "12"], "Column.text"],
    [["0.5", "10.25"], "Column.decimal(8, 2)"],
    [["1", "2.5"], "Column.decimal(6, 1)"],
    [["0.1234567"], "Column.double"],
    [["1e3", "2.5"], "Column.double"],
    [["1,5"], "Column.text"],
    [["true", "FALSE"], "Column.boolean"],
    [["true", "1"], "Column.text"],
    [["2026-01-01", "1969-12-31"], "Column.date"],
    [["2026-01-01", "2026-01-01T10:00Z"], "Column.timestamp"],
    [["2026-02-30"], "Column.text"],
    [["20260101"], "Column.int32"],
    [["01/02/2026"], "Column.text"],
    [['{"a":1}', "[]"], "Column.json"],
    [["{a}"], "Column.text"],
    [["", "5"], "Schema.NullOr(Column.int32)"],
    [["", ""], "Schema.NullOr(Column.text)"],
  ];
  for (const [texts, expected] of table) {
    it.effect(`proposes ${expected} for ${JSON.stringify(texts)}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* fieldsOf(...texts), expected);
      }),
    );
  }

  const cell = fc.oneof(
    fc.constantFrom("", "true", "007", "1.50", "2026-01-01", "{}", "*/", "`${x}`", "\u2028", '"'),
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.string(),
  );

  it.effect("proposes what takes every row that it has seen, as source that runs", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }),
          fc.string({ maxLength: 8 }),
          async (rows, name) => {
            const text = `${quote(name)},b\n${rows.map((row) => `${row.map(quote).join(",")}\n`).join("")}`;
            const outcome = Effect.gen(function* () {
              const { columns } = yield* infer(text);
              const schema = evaluate(renderSchema("Row", `from ${name}`, columns));
              const declared = Result.getOrThrow(columnPlan(schema));
              return (yield* run(text, { columns: declared })).rejects;
            });
            assert.deepStrictEqual(await Effect.runPromise(outcome), []);
          },
        ),
        { numRuns: 150 },
      ),
    ),
  );

  it.effect("proposes optional keys for JSON, and takes every record that it has seen", () =>
    Effect.gen(function* () {
      const text = '[{"id":1,"tags":["a"]},{"id":2,"note":""},{"id":3,"note":null,"ok":true}]';
      const { columns, from } = yield* infer(text);
      assert.strictEqual(from.format, "json");
      assert.deepStrictEqual(columns.map(renderField), [
        "Column.int32",
        "Schema.optionalKey(Schema.NullOr(Column.json))",
        "Schema.optionalKey(Schema.NullOr(Column.text))",
        "Schema.optionalKey(Schema.NullOr(Column.boolean))",
      ]);
      const declared = columnPlan(evaluate(renderSchema("Row", "it", columns)));
      const { rejects, report } = yield* run(text, { columns: Result.getOrThrow(declared) });
      assert.deepStrictEqual(rejects, []);
      assert.strictEqual(report.rowsOut, 3);
    }),
  );

  it.effect("looks at no more than the sample, and inside an archive", () =>
    Effect.gen(function* () {
      const text = `a,b\n${"1,x\n".repeat(1000)}${"late,x\n".repeat(1000)}`;
      const { columns, from } = yield* infer(gzipSync(text), 2000);
      assert.strictEqual(columns.map(renderField).join(), "Column.int32,Column.text");
      assert.isFalse(from.whole);
      // A parser looks ahead: the last rows of a sample that is cut may be missing.
      assert.isAbove(from.rows, 490);
      assert.isBelow(from.rows, 501);
      const all = yield* infer(text);
      assert.isTrue(all.from.whole);
      assert.strictEqual(all.columns.map(renderField)[0], "Column.text");
    }),
  );

  it.effect("remarks on columns of few texts and on empty ones", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 200 }, (_, i) => `${["open", "paid"][i % 2]},,${i}\n`);
      const { columns } = yield* infer(`status,none,id\n${rows.join("")}`);
      const source = renderSchema("Sales", "about */ it", columns);
      assert.include(source, 'status: Column.text, // perhaps Schema.Literals(["open", "paid"])');
      assert.include(source, "none: Schema.NullOr(Column.text), // empty in the sample");
      assert.include(source, "/** about * / it */");
    }),
  );

  it("names the schema after the file", () => {
    assert.strictEqual(schemaName("sales 2026.csv.gz"), "Sales2026");
    assert.strictEqual(schemaName("2026.csv"), "Row2026");
    assert.strictEqual(schemaName("é.json"), "Row");
  });
});
