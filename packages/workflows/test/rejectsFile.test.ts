/**
 * Goal: the file of rejected rows holds each of them, is bounded, and is safe to open in a spreadsheet.
 * Method: small files by hand; the CSV is read back by DuckDB.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect, Result, Schema } from "effect";
import * as fc from "fast-check";
import { parse } from "csv-parse/sync";
import { Column, columnPlan, type Reject } from "../src/index.ts";
import { makeRejectsEncoder } from "../src/csv/RejectsFile.ts";
import { run } from "./support.ts";

const columns = Result.getOrThrow(columnPlan(Schema.Struct({ a: Column.int32, b: Column.text })));

const rejectOf = (raw: string): Reject => ({
  line: 7,
  reason: "does-not-fit",
  column: "a",
  detail: "a detail",
  raw,
  cut: false,
});

const csvOf = (...raws: ReadonlyArray<string>): string =>
  Buffer.from(makeRejectsEncoder("csv")(raws.map(rejectOf))).toString("utf8");

const rawsOf = (csv: string): ReadonlyArray<ReadonlyArray<string>> => parse(csv).slice(1);

describe("the rejects file as CSV", () => {
  it("has a header, once, and every field of a reject", () => {
    const encode = makeRejectsEncoder("csv");
    const text = [encode([rejectOf('x,"y"')]), encode([rejectOf("two\nlines")])]
      .map((bytes) => Buffer.from(bytes).toString("utf8"))
      .join("");
    assert.deepStrictEqual(parse(text, { columns: true }), [
      {
        line: "7",
        column: "a",
        reason: "does-not-fit",
        detail: "a detail",
        raw: 'x,"y"',
        cut: "false",
      },
      {
        line: "7",
        column: "a",
        reason: "does-not-fit",
        detail: "a detail",
        raw: "two\nlines",
        cut: "false",
      },
    ]);
  });

  it("lets no text begin a cell with a formula, whichever delimiter the reader assumes", () => {
    const nasty = fc.string({
      unit: fc.constantFrom(
        "=",
        "+",
        "-",
        "@",
        "＝",
        ",",
        ";",
        "\t",
        "|",
        "\r",
        "\n",
        '"',
        "a",
        "1",
      ),
      maxLength: 30,
    });
    fc.assert(
      fc.property(nasty, (raw) => {
        // Wherever any reader may end a cell, whatever it takes for quotes and delimiters.
        for (const cell of csvOf(raw).split(/[,;|\t\r\n"]/))
          assert.notMatch(cell, /^[=+\-@＝]/, JSON.stringify(raw));
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves text without such characters as it is", () => {
    const plain = fc.string({ unit: fc.constantFrom("a", "é", "1", ",", '"', "\n", " ", "😀") });
    fc.assert(
      fc.property(plain, (raw) => {
        assert.strictEqual(rawsOf(csvOf(raw))[0]?.[4], raw);
      }),
    );
  });
});

describe("rejected rows", () => {
  it.effect("beyond the file's bound are counted and told, and cost nothing else", () =>
    Effect.gen(function* () {
      const bad = Array.from({ length: 30 }, (_, index) => `x${index},y\n`).join("");
      const { rejects, report } = yield* run(`a,b\n1,z\n${bad}`, { columns, rejectedRowsKept: 10 });
      assert.strictEqual(rejects.length, 10);
      assert.strictEqual(report.rowsRejected, 30);
      assert.strictEqual(report.rejectsLeftOut, 20);
      assert.strictEqual(report.rowsOut, 1);
    }),
  );

  it.effect("beyond the pipeline's number end the file at that row", () =>
    Effect.gen(function* () {
      const good = Array.from({ length: 500 }, (_, index) => `${index},z\n`).join("");
      const text = `a,b\n${good}${"x,y\n".repeat(4)}${good}`;
      const { report } = yield* run(text, { columns, rejectedRowsMax: 4 });
      assert.strictEqual(report.rowsRejected, 4);
      const failure = yield* Effect.flip(run(text, { columns, rejectedRowsMax: 3 }));
      assert(failure._tag === "CsvTooManyRejects");
      assert.strictEqual(failure.rowsRejected, 4);
      assert.strictEqual(failure.failureClass, "permanent");
    }),
  );

  it.effect("beyond the pipeline's share end the file", () =>
    Effect.gen(function* () {
      const text = `a,b\n${"x,y\n".repeat(3)}${"1,y\n2,y\n".repeat(4)}`;
      const options = { columns, rejectedRowsTolerated: 0, duplicates: "none" } as const;
      const { report } = yield* run(text, { ...options, rejectedShareMax: 0.28 });
      assert.strictEqual(report.rowsOut, 8);
      const failure = yield* Effect.flip(run(text, { ...options, rejectedShareMax: 0.27 }));
      assert.strictEqual(failure._tag, "CsvTooManyRejects");
    }),
  );
});
