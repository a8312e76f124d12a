/**
 * Goal: both engines give the same rows, the same rejects and the same report, or DuckDB says that it leaves the file.
 * Method: public and nasty files through both, in parts; compared are row count, a hash of each column and of the rows,
 * rejects as they are, and the figures.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Layer, Result, Schema, Stream } from "effect";
import * as fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { hashParquet } from "../../../test/parquetHash.ts";
import { openFilePass, type PartEnd } from "../src/csv/FilePass.ts";
import { openDuckPass } from "../src/duckdb/DuckFilePass.ts";
import { duckPass } from "../src/duckdb/duckPass.ts";
import {
  Column,
  columnPlan,
  type CsvOptions,
  type CsvPart,
  layerHyparquet,
  type Reject,
} from "../src/index.ts";
import { bytesOf, chunked, packageFolder, processedAtEpochMs } from "./support.ts";

const optionsWith = (options: Partial<CsvOptions>): CsvOptions => ({
  source: "raw/in.csv",
  sourceFile: "raw/it's in.csv@1",
  processedAtEpochMs,
  ...options,
});

const chunkBytes = 997;
const open = (file: Uint8Array) => (fromByte: number) =>
  Stream.fromIterable(chunked(file.subarray(fromByte), chunkBytes));

const byStream = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const pass = yield* openFilePass(optionsWith(options), open(file));
    const files: Array<Uint8Array> = [];
    const rejects: Array<unknown> = [];
    let next: PartEnd["next"];
    do {
      const bytes: Array<Uint8Array> = [];
      const end = yield* pass.part(files.length + 1, {
        parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
        rejects: (rows) => Effect.sync(() => void rejects.push(...rows)),
      });
      if (end.part !== undefined) files.push(Buffer.concat(bytes));
      next = end.next;
    } while (next !== undefined);
    return { files, rejects, report: yield* pass.report([]) };
  }).pipe(Effect.scoped);

const byDuckDb = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const files: Array<Uint8Array> = [];
    const rejects: Array<unknown> = [];
    const report = yield* duckPass(optionsWith(options), open(file), () =>
      Effect.sync(() => {
        const bytes: Array<Uint8Array> = [];
        return {
          parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
          rejects: (rows: ReadonlyArray<Reject>) => Effect.sync(() => void rejects.push(...rows)),
          end: (part: CsvPart | undefined) =>
            Effect.sync(() => {
              if (part !== undefined) files.push(Buffer.concat(bytes));
            }),
        };
      }),
    );
    return { files, rejects, report };
  });

/** Each part by a pass of its own, which knows what the history would hold. */
const byPieces = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const files: Array<Uint8Array> = [];
    const rejects: Array<unknown> = [];
    const hashes: Array<Uint8Array> = [];
    let position: PartEnd["next"];
    for (;;) {
      const resume = position && { position, hashes: Stream.fromIterable(hashes) };
      const { end, report } = yield* Effect.gen(function* () {
        const pass = yield* openDuckPass(optionsWith(options), open(file), {}, resume);
        const bytes: Array<Uint8Array> = [];
        const end = yield* pass.part(files.length + 1, {
          parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
          rejects: (found) => Effect.sync(() => void rejects.push(...found)),
        });
        if (end.part !== undefined) files.push(Buffer.concat(bytes));
        return { end, report: yield* pass.report([]) };
      }).pipe(Effect.scoped);
      if (end.hashes !== undefined) hashes.push(end.hashes);
      position = end.next;
      if (position === undefined) return { files, rejects, report };
    }
  });

const services = Layer.merge(layerHyparquet, NodeServices.layer);

const failureOf = <A, E>(result: Result.Result<A, E>): unknown =>
  Result.isFailure(result) ? result.failure : "none";

/** Nothing when both took the file and agree; else why DuckDB left it. */
const compare = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const stream = yield* Effect.result(byStream(file, options));
    const duck = yield* Effect.result(byDuckDb(file, options));
    if (Result.isFailure(duck) && duck.failure._tag === "NotForDuckDb") return duck.failure.reason;
    if (Result.isFailure(stream) || Result.isFailure(duck)) {
      assert.deepStrictEqual(failureOf(duck), failureOf(stream));
      return "fails alike";
    }
    const [one, other] = [stream.success, duck.success];
    assert.deepStrictEqual(other.rejects, one.rejects);
    const { bytesOut: _1, parts: _2, stages: first, ...figures } = one.report;
    const { bytesOut: _3, parts: _4, stages: second, ...others } = other.report;
    assert.deepStrictEqual(others, figures);
    assert.deepStrictEqual({ ...second, output: 0 }, { ...first, output: 0 });
    assert.deepStrictEqual(yield* hashParquet(other.files), yield* hashParquet(one.files));
    return undefined;
  }).pipe(Effect.provide(services));

const spectrumFolder = join(packageFolder("csv-spectrum"), "csvs");
const vega = (name: string) => readFileSync(join(packageFolder("vega-datasets"), "data", name));

/** 200 rows of three cells, one of which is another. */
const withRow = (row: string, at = 100) =>
  bytesOf(
    `id,order date,name\n${rows(200, (index) => (index === at ? row : `${index},2024-01-0${(index % 9) + 1},n ${index}`))}\n`,
  );

const declared = Result.getOrThrow(
  columnPlan(
    Schema.Struct({
      id: Column.int64,
      n: Schema.NullOr(Column.int32),
      x: Schema.NullOr(Column.double),
      amount: Schema.NullOr(Column.decimal(38, 4)),
      small: Schema.NullOr(Column.decimal(5, 2)),
      day: Schema.NullOr(Column.date),
      at: Schema.NullOr(Column.timestamp),
      ok: Schema.NullOr(Column.boolean),
      note: Column.text,
      gone: Schema.optionalKey(Column.text),
    }),
  ),
);

const limits = [
  "id,n,x,amount,small,day,at,ok,note",
  "9223372036854775807,2147483647,1.7976931348623157e308,9999999999999999999999999999999999.9999,999.99,9999-12-31,2024-02-29T23:59:59.999Z,true,東京",
  "-9223372036854775808,-2147483648,5e-324,-0.0001,-1,0001-01-01,1969-12-31 23:59:59.999,FALSE,'quote' \"\"",
  "0,,,,,,,,",
  "1,007,0.1,1.5,-0.50,1969-12-31,1600-02-29,True,😀",
  "2,-0,-0.0,00.10,000.1,2000-02-29,2024-01-01T10:00,false,\u{FFEE}",
  "3,1,1e3,1,0,1582-10-10,2024-12-31T00:00:00Z,true,null",
].join("\n");

const rows = (count: number, row: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => row(index)).join("\n");

const base = `id,order date,name\n${rows(500, (index) => `${index % 400},2024-0${(index % 9) + 1}-1${index % 10},"n, ${index % 400}"`)}\n`;

const files: Record<string, readonly [Uint8Array, Partial<CsvOptions>?]> = {
  "vega seattle-weather": [vega("seattle-weather.csv")],
  "vega airports": [vega("airports.csv")],
  "vega airports in parts": [vega("airports.csv"), { partRowsMax: 700 }],
  ...Object.fromEntries(
    readdirSync(spectrumFolder).map((name) => [
      `spectrum ${name}`,
      [readFileSync(join(spectrumFolder, name))] as const,
    ]),
  ),
  "duplicates of the file, in parts": [bytesOf(base), { partRowsMax: 90 }],
  "duplicates of a part": [bytesOf(base), { partRowsMax: 90, duplicates: "part" }],
  "duplicates kept": [bytesOf(base), { duplicates: "none" }],
  "mixed line ends": [bytesOf(base.replaceAll('"\n1', '"\r\n1').replaceAll('"\n2', '"\r2'))],
  "CR alone": [bytesOf(base.replaceAll("\n", "\r"))],
  "byte-order mark": [bytesOf(`\uFEFF${base}`)],
  "UTF-16": [Buffer.from(`\uFEFF${base}`, "utf16le")],
  "windows-1252": [Buffer.from(base.replaceAll("n, ", "né, "), "latin1")],
  gzip: [gzipSync(base)],
  "short, long, broken and NUL rows": [
    bytesOf(
      `${base}${rows(9000, (index) => `${index},,x`)}\nonly one\n1,2,3,4\n"broken"x,2,3\n5,\0,6\n,,\n\n`,
    ),
  ],
  "dates of many forms": [
    bytesOf(
      `date,fecha\n${rows(300, (index) => [`2024-02-30,28 Feb 2023`, `20230228,2023/1/2 3:04`, `0000-01-01,0001-01-01`, `no,"Feb 28, 2023"`, ` 2024-01-01 ,2024-01-01T10:00:00.1234+02:00`, `2024-01-01T24:00,`][index % 6] ?? "")}`,
    ),
    { duplicates: "none" },
  ],
  "duplicates that differ in quotes alone": [
    bytesOf('a,b\n"1",x\n1,"x"\n1,x\n"1,",x\n"""1""",x\n1,"x\ny"\n1,"x\ny"\n"","1x"\n,1x\n'),
  ],
  "dates of one form in one part and of others in the next": [
    bytesOf(
      `id,date\n${rows(60, (index) => `${index},${["2024-01-31", "2024-02-30", ""][index % 3]}`)}\n${rows(60, (index) => `${60 + index},${["2024-01-31 10:00", '"2024-02-29T01:02:03.4Z"', "2024-13-01"][index % 3]}`)}\n${rows(60, (index) => `${120 + index},${["31 Jan 2024", "2024-01-31", '" 2024/1/1"'][index % 3]}`)}\n`,
    ),
    { partRowsMax: 60 },
  ],
  "semicolons and single quotes": [bytesOf("a;b\n'x;''y';1\n\"z\";2\n"), { quote: "'" }],
  "no quotes": [bytesOf("a,b\n\"x,1\nit's,2\n"), { quote: "none" }],
  "names that SQL knows": [bytesOf('select,"from ""x""",c0,rowid\n1,2,3,4\n')],
  "blanks and empty texts": [bytesOf('a,b\n" ",""\n"",x\n\t,null\nNULL,\\N\n')],
  "a header alone": [bytesOf("a,b\n")],
  "blank rows only": [bytesOf("a,b\n,\n,\n")],
  "every kind at its limits": [
    bytesOf(limits.replace("'quote' \"\"", "'quote'")),
    { columns: declared },
  ],
  "an open quote": [bytesOf(`${base}"open`)],
  "a text of 200,000 characters": [bytesOf(`a,b\n1,"${"long\n".repeat(40_000)}"\n2,x\n`)],
};

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

describe("the two engines", () => {
  for (const [name, [file, options = {}]] of Object.entries(files))
    it.live(`agree: ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* compare(file, options),
          name === "an open quote"
            ? "fails alike"
            : name.includes("location_coordinates")
              ? "it has quotes in cells that are not quoted"
              : undefined,
        );
      }),
    );

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
            "nearly all of its rows are dropped",
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
      for (const file of [bytesOf(text), gzipSync(text), Buffer.from(`\uFEFF${text}`, "utf16le")])
        for (const duplicates of ["file", "part", "none"] as const) {
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

  const left: Record<string, readonly [string, Partial<CsvOptions>, string]> = {
    JSON: ['[{"a":1}]', {}, "it is JSON"],
    "a quote within a cell": ['a,b\n5" pipe,1\n', {}, "quotes in cells"],
    "values that need a closer look": [
      limits.replace("\n1,", "\n+1,").replace("'quote' \"\"", ""),
      { columns: declared },
      "other forms",
    ],
  };
  for (const [name, [text, options, reason]] of Object.entries(left))
    it.live(`know what DuckDB leaves: ${name}`, () =>
      Effect.gen(function* () {
        assert.include(yield* compare(bytesOf(text), options), reason);
      }),
    );

  it.live(
    "agree on what nobody has thought of",
    () =>
      Effect.gen(function* () {
        const cell = fc.oneof(
          fc.string({
            unit: fc.constantFrom("a", "é", " ", "😀", "'", "\\", "0", "-"),
            maxLength: 4,
          }),
          fc
            .string({ unit: fc.constantFrom(",", "\n", "\r\n", '""', "x"), maxLength: 4 })
            .map((text) => `"${text}"`),
          fc.constantFrom("", '""', "2024-01-01", "2024-13-01", "1e5", "NULL", "nan"),
        );
        const line = fc.array(cell, { minLength: 2, maxLength: 3 }).map((cells) => cells.join(","));
        const texts = fc.sample(fc.array(line, { minLength: 5, maxLength: 60 }), {
          numRuns: 25,
          seed: 20_261_130,
        });
        let agreed = 0;
        for (const lines of texts) {
          const text = `a,b date,c\n${lines.join("\n")}\n`;
          const told = yield* compare(bytesOf(text), {
            partRowsMax: 7,
            rejectedShareMax: 1,
            rejectedRowsTolerated: 1000,
          });
          if (told === undefined) agreed += 1;
        }
        assert.isAbove(agreed, 15);
      }),
    60_000,
  );
});
