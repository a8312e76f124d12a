/**
 * Goal: files that a reader which trusts them would take otherwise give the same rows, rejects and figures by both engines, or DuckDB
 * leaves them; and a pass that is begun anew at any part comes to the same.
 * Method: as in engines.test.ts.
 */
import { assert, describe, it } from "@effect/vitest";
import { Deferred, Effect, Fiber, Stream } from "effect";
import { gzipSync } from "node:zlib";
import { hashParquet } from "../../../test/parquetHash.ts";
import { fileStart } from "../src/csv/PassPosition.ts";
import { openDuckPass } from "../src/duckdb/DuckFilePass.ts";
import { duckPass } from "../src/duckdb/duckPass.ts";
import type { CsvOptions } from "../src/index.ts";
import { base, byDuckDb, byPieces, compare, declared, rows, services } from "./bothEngines.ts";
import { bytesOf } from "./support.ts";

/** 200 rows of three cells, one of which is another. */
const withRow = (row: string, at = 100) =>
  bytesOf(
    `id,order date,name\n${rows(200, (index) => (index === at ? row : `${index},2024-01-0${(index % 9) + 1},n ${index}`))}\n`,
  );

const inParts = { partRowsMax: 60 };

/** Files that a reader which trusts them would take otherwise. */
const nasty: Record<string, readonly [Uint8Array, Partial<CsvOptions>?]> = {
  "a row too short in the last part": [withRow("199,2024-01-01", 199), inParts],
  "a row too long in the last part": [withRow("199,2024-01-01,a,b", 199), inParts],
  "a trailing delimiter in every row": [bytesOf(`a,b,\n${rows(100, (index) => `${index},x,`)}\n`)],
  "a trailing delimiter in one row": [withRow("7,2024-01-01,n,"), inParts],
  "a trailing empty cell in quotes in one row": [withRow('7,2024-01-01,n,""'), inParts],
  "a trailing delimiter behind a cell in quotes": [withRow('7,2024-01-01,"n",'), inParts],
  "two delimiters too much": [withRow("7,2024-01-01,n,,"), inParts],
  "an empty cell and another too much": [withRow("7,2024-01-01,n,,x"), inParts],
  "a broken row and a short one behind it": [
    bytesOf(
      `${Buffer.from(withRow('1,"x"y,z', 5)).toString()}1,2\n"x"y,1,2\n9,2024-01-01,"two\nlines"\n`,
    ),
    inParts,
  ],
  "a quoted cell of many lines at the end of a part": [
    withRow('59,2024-01-01,"one\ntwo\r\nthree\rfour\n"', 59),
    inParts,
  ],
  "CR LF, all of it": [bytesOf(base.replaceAll("\n", "\r\n")), { partRowsMax: 90 }],
  "CR LF with CR within a cell": [bytesOf('a,b\r\n1,x\ry\r\n2,"x\ry"\r\n3,z\r\n')],
  "CR LF with a CR too much": [bytesOf("a,b\r\n1,x\r\r\n2,y\r\n")],
  "a quoted cell before CR LF": [bytesOf('a,b\r\n1,"x"\r\n2,"y""z"\r\n')],
  "blank rows among others": [
    bytesOf(`a,b,c\n${rows(300, (index) => (index % 3 === 0 ? `,"",` : `${index},,`))}\n`),
    inParts,
  ],
  "empty lines among others": [
    bytesOf(`a,b\n\n${rows(100, (index) => (index % 7 === 0 ? "" : `${index},x`))}\n\n\n`),
    { partRowsMax: 20 },
  ],
  "blanks that are no blank rows": [bytesOf('a,b\n , \n" ",\n\t,\n,\n')],
  "NUL in a plain row": [withRow("7,2024-01-01,a\0b"), inParts],
  "NUL in a quoted cell": [withRow('7,2024-01-01,"a\0b"'), inParts],
  "a byte-order mark in the middle": [withRow("7,2024-01-01,\u{FEFF}x"), inParts],
  "a quote behind a blank": [withRow('7,2024-01-01, "x"'), inParts],
  "a backslash before a quote": [withRow('7,2024-01-01,"x\\"'), inParts],
  "a quote that closes at the end of the file": [bytesOf('a,b\n1,"x\n2"')],
  "duplicates that differ in quotes alone, among others": [
    bytesOf(
      `a,b,c\n${rows(300, (index) => [`${index % 40},x,`, `"${index % 40}","x",`, `${index % 40},"x",""`, `${index % 40},"x,",`, `${index % 40},"x\r\ny","""q"""`, `"",${index % 40},`][index % 6] ?? "")}\n`,
    ),
    inParts,
  ],
  "CR, LF and both within cells": [
    bytesOf(
      `a,b\n${rows(90, (index) => `${index},"${["x\ry", "x\r\ny", "x\ny", "\r", "\r\r\n", 'x"",""\r'][index % 6]}"`)}\n"short\rone"\n`,
    ),
    inParts,
  ],
  "a broken row of many lines with quotes within": [
    withRow('"a\nsay ""x"" b\nc","d"e,2024-01-01'),
    inParts,
  ],
  "empty cells in quotes at the ends of rows": [
    bytesOf(
      `a,b,c\n${rows(120, (index) => [`"",x,""`, `"","",""`, `"""",,""`, `${index},,""`, `"",,`, `,,""`][index % 6] ?? "")}\n`,
    ),
    inParts,
  ],
  "no line end at the end": [bytesOf("a,b\n1,x\n2,y")],
  "not UTF-8 in the middle": [
    Buffer.concat([withRow("7,2024-01-01,é"), Buffer.from("1,2,\xe9\n", "latin1")]),
    inParts,
  ],
  "windows-1252 from the middle on": [
    Buffer.from(
      `a,b\n${rows(200, (index) => (index < 100 ? `${index},x` : `${index},caf\xe9`))}\n`,
      "latin1",
    ),
    inParts,
  ],
  "a cell of 900,000 bytes": [withRow(`7,2024-01-01,${"x".repeat(900_000)}`)],
  "a record that is too long": [withRow(`7,2024-01-01,${"x".repeat(1_100_000)}`)],
  "a quoted record that is too long": [withRow(`7,2024-01-01,"${"x\n".repeat(600_000)}"`)],
  "one row many times": [
    bytesOf(`a,b\n${rows(5_000, (index) => `${Math.floor(index / 100)},x`)}\n`),
    { partRowsMax: 20 },
  ],
  "one row only, many times": [
    bytesOf(`a,b\n${rows(3_000, () => "1,x")}\n2,y\n`),
    { partRowsMax: 20 },
  ],
  "one row many times, of a part": [
    bytesOf(`a,b\n${rows(2_000, (index) => `${index % 30},x`)}\n`),
    { partRowsMax: 20, duplicates: "part" },
  ],
  "duplicates across parts, with a short row behind them": [
    bytesOf(`${base}only one\n${base.slice(base.indexOf("\n") + 1)}`),
    { partRowsMax: 90 },
  ],
  "rows that differ in where their cells end": [
    bytesOf("a,b,c\nx,yz,\nxy,z,\nxyz,,\n,xyz,\n,,xyz\nx,y,z\n"),
  ],
  "many rejects before a short row": [
    bytesOf(
      `a,b\n${rows(3_000, (index) => (index < 1_500 ? `"x"y,${index}` : `${index},y`))}\n1\n`,
    ),
    { partRowsMax: 700, rejectedShareMax: 1, rejectedRowsTolerated: 10_000 },
  ],
  "too many rejects": [
    bytesOf(`a,b\n${rows(400, (index) => (index % 2 === 0 ? "1" : `${index},y`))}\n`),
    { partRowsMax: 70 },
  ],
  "a row too short before an open quote": [bytesOf(`${base}1,2\n"open`), { partRowsMax: 90 }],
  "dates that no calendar has": [
    bytesOf(
      `date,b\n${["2023-02-30", "2024-02-30", "1900-02-29", "infinity", "-infinity", "epoch", "10000-01-01", "2024-1-1", "2024-01-01 ", "24-01-01", "2024-01-01 (BC)", "2024-01-01T25:00", "2024/01/01", "2024-01-01 00:00:00+02", "0001-01-01", "9999-12-31"].map((date, index) => `${date},${index}`).join("\n")}\n`,
    ),
  ],
};

const nowhere = () =>
  Effect.succeed({
    parquet: Effect.succeed(() => Effect.void),
    rejects: () => Effect.void,
    end: () => Effect.void,
  });

describe("the two engines", () => {
  for (const [name, [file, options = {}]] of Object.entries(nasty))
    it.live(`agree on what is nasty: ${name}`, () =>
      Effect.gen(function* () {
        const told = yield* compare(file, options);
        assert.include(
          [
            undefined,
            "fails alike",
            "it has quotes in cells that are not quoted",
            "it has a record that does not end",
            "it has a record that is too long",
          ],
          told,
        );
      }),
    );

  for (const [column, value, isTaken] of [
    ["n", "1_000", false],
    ["n", " 5", false],
    ["n", "+5", false],
    ["n", "1e3", false],
    ["n", "5.0", false],
    ["n", "0x1F", false],
    ["n", "2147483648", false],
    ["n", "007", true],
    ["x", "1e3", true],
    ["x", "1_000.5", false],
    ["x", "nan", false],
    ["x", "inf", false],
    ["x", ".5", false],
    ["small", "1.005", false],
    ["small", "1e1", false],
    ["small", "1000", false],
    ["day", "2023-02-30", false],
    ["day", "2024-1-1", false],
    ["day", "infinity", false],
    ["at", "2024-01-01T00:00:60", false],
    ["ok", "t", false],
    ["ok", "1", false],
    ["ok", "TRUE", true],
  ] as const)
    it.live(`never take ${JSON.stringify(value)} otherwise: ${column}`, () =>
      Effect.gen(function* () {
        const names = ["id", "n", "x", "small", "day", "at", "ok", "note"];
        const row = names.map((name) => (name === column ? value : name === "id" ? "1" : ""));
        const text = `${names.join(",")}\n2,,,,,,,\n${row.join(",")}\n`;
        const columns = declared.filter(({ plan }) => plan.name !== "amount");
        const told = yield* compare(bytesOf(text), { columns, rejectedRowsTolerated: 5 });
        if (isTaken) assert.isUndefined(told);
        else assert.include(told, "other forms");
      }),
    );

  it.live("come to the same parts when each is begun anew", () =>
    Effect.gen(function* () {
      const text = `${base}1,2\n${base.slice(base.indexOf("\n") + 1)}${rows(200, (index) => `x${index},,"a\nb"`)}\n`;
      for (const [file, duplicates] of [
        [bytesOf(text), "file"],
        [bytesOf(text), "part"],
        [gzipSync(text), "file"],
        [Buffer.from(`\uFEFF${text}`, "utf16le"), "none"],
      ] as const) {
        const options = { partRowsMax: 90, duplicates, keepHashes: duplicates === "file" };
        const whole = yield* byDuckDb(file, options);
        const pieces = yield* byPieces(file, options);
        assert.deepStrictEqual(pieces.rejects, whole.rejects);
        assert.deepStrictEqual(pieces.files.length, whole.files.length);
        const { bytesOut: _1, parts: _2, stages: one, ...figures } = whole.report;
        const { bytesOut: _3, parts: _4, stages: other, ...others } = pieces.report;
        assert.deepStrictEqual(others, figures);
        assert.deepStrictEqual({ ...other, output: 0 }, { ...one, output: 0 });
        assert.deepStrictEqual(yield* hashParquet(pieces.files), yield* hashParquet(whole.files));
      }
    }).pipe(Effect.provide(services)),
  );

  it.live("do not go on behind parts whose rows have another hash", () =>
    Effect.gen(function* () {
      const position = { ...fileStart, textOffset: 22, byteOffset: 22, line: 2, decided: true };
      const resume = { position, hashes: Stream.empty };
      const options = { source: "in", sourceFile: "in", processedAtEpochMs: 0 };
      const file = Stream.make(bytesOf(base));
      const told = yield* Effect.flip(openDuckPass(options, () => file, {}, resume));
      assert.include(String(told), "another hash of rows");
    }).pipe(Effect.scoped, Effect.provide(services)),
  );

  it.live("let go of a file that is given up in the middle of a part", () =>
    Effect.gen(function* () {
      for (const partRowsMax of [50_000, 100_000]) {
        const looked = yield* Deferred.make<void>();
        const endless = Stream.concat(
          // More than is read before the first record is looked at.
          Stream.make(bytesOf(`a,b\n${rows(60_000, (index) => `${index},text of a row`)}\n`)),
          Stream.fromEffect(Effect.andThen(Deferred.succeed(looked, undefined), Effect.never)),
        );
        const options = {
          source: "in",
          sourceFile: "in",
          processedAtEpochMs: 0,
          partRowsMax,
          rejectedRowsTolerated: 1,
        };
        const fiber = yield* Effect.forkChild(duckPass(options, () => endless, nowhere));
        yield* Deferred.await(looked);
        yield* Fiber.interrupt(fiber);
      }
      assert.isUndefined(yield* compare(bytesOf(base), { partRowsMax: 90 }));
    }).pipe(Effect.provide(services)),
  );
});
