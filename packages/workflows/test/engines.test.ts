/**
 * Goal: both engines give the same rows, the same rejects and the same report, or DuckDB says that it leaves the file.
 * Method: public and nasty files through both, in parts; compared are row count, a hash of each column and of the rows,
 * rejects as they are, and the figures.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import * as fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { CsvOptions } from "../src/index.ts";
import { base, compare, declared, rows } from "./bothEngines.ts";
import { bytesOf, packageFolder } from "./support.ts";

const spectrumFolder = join(packageFolder("csv-spectrum"), "csvs");
const vega = (name: string) => readFileSync(join(packageFolder("vega-datasets"), "data", name));

const limits = [
  "id,n,x,amount,small,day,at,ok,note",
  "9223372036854775807,2147483647,1.7976931348623157e308,9999999999999999999999999999999999.9999,999.99,9999-12-31,2024-02-29T23:59:59.999Z,true,東京",
  "-9223372036854775808,-2147483648,5e-324,-0.0001,-1,0001-01-01,1969-12-31 23:59:59.999,FALSE,'quote' \"\"",
  "0,,,,,,,,",
  "1,007,0.1,1.5,-0.50,1969-12-31,1600-02-29,True,😀",
  "2,-0,-0.0,00.10,000.1,2000-02-29,2024-01-01T10:00,false,\u{FFEE}",
  "3,1,1e3,1,0,1582-10-10,2024-12-31T00:00:00Z,true,null",
].join("\n");

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
