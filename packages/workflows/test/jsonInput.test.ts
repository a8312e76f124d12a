/**
 * Goal: JSON arrays and NDJSON give what the same rows give as CSV, without losing a digit; broken records are rejected,
 * broken files refused.
 * Method: small files by hand, chunked at every size; properties by fast-check with its printed seed.
 */
import { gzipSync } from "node:zlib";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Result, Schema } from "effect";
import * as fc from "fast-check";
import { Column, columnPlan, type CsvOptions } from "../src/index.ts";
import { readJsonRecord } from "../src/input/readJsonRecord.ts";
import { formatOf } from "../src/input/InputFormat.ts";
import { bytesOf, chunked, queryDuckDb, readHyparquet, run } from "./support.ts";

const declare = (fields: Schema.Struct.Fields): Partial<CsvOptions> => ({
  columns: Result.getOrThrow(columnPlan(Schema.Struct(fields))),
});

const typed = declare({
  id: Column.int64,
  price: Column.decimal(30, 10),
  note: Schema.NullOr(Column.text),
  more: Schema.optionalKey(Column.json),
});

const records = [
  '{"id": 9223372036854775807, "price": 1.10, "note": "a,\\"b\\"\\n\\u00e9", "more": {"n": 12345678901234567890, "x": [1.0]}}',
  '{"price":"12345678901234567890.0123456789","ID":-1,"note":""}',
  '{"id":0,"price":0,"note":null,"more":null}',
];
const asArray = `\uFEFF [\n${records.join(" ,\n")}\n]\n`;
const asLines = `${records.join("\r\n")}\n\n`;

describe("a JSON file", () => {
  for (const [name, text, format] of [
    ["of an array", asArray, "json"],
    ["of lines", asLines, "ndjson"],
  ] as const) {
    it.effect(`${name} gives typed columns, exact, however it is chunked`, () =>
      Effect.gen(function* () {
        const whole = yield* run(text, typed);
        assert.deepStrictEqual(whole.rejects, []);
        assert.strictEqual(whole.report.format, format);
        assert.notProperty(whole.report, "delimiter");
        assert.deepStrictEqual(
          yield* queryDuckDb(
            whole.file,
            "select id::varchar id, price::varchar price, note, more::varchar more from FILE",
          ),
          [
            {
              id: "9223372036854775807",
              price: "1.1000000000",
              note: 'a,"b"\né',
              more: '{"n":12345678901234567890,"x":[1]}',
            },
            { id: "-1", price: "12345678901234567890.0123456789", note: "", more: null },
            { id: "0", price: "0.0000000000", note: null, more: null },
          ],
        );
        for (const size of [1, 2, 5, 64]) {
          const again = yield* run(chunked(bytesOf(text), size), typed);
          assert.deepStrictEqual(again.report, whole.report);
          assert.isTrue(Buffer.from(again.file).equals(whole.file));
        }
        const zipped = yield* run(gzipSync(text), typed);
        assert.isTrue(Buffer.from(zipped.file).equals(whole.file));
      }),
    );
  }

  it.effect("of which nothing is declared has the keys of its beginning as columns of text", () =>
    Effect.gen(function* () {
      const { file, report } = yield* run(
        '{"A b":1,"date":"2020-01-01"}\n{"c":true,"A b":null}\n{"A b":1,"date":"2020-01-01"}\n{}\n',
      );
      const rows = yield* readHyparquet(file);
      assert.deepStrictEqual(
        rows.map((row) => [row["a_b"], row["date"], row["c"]]),
        [
          ["1", new Date("2020-01-01"), null],
          [null, null, "true"],
        ],
      );
      assert.strictEqual(report.duplicates, 1);
      assert.strictEqual(report.blankRows, 1);
    }),
  );

  it.effect("rejects a key that is no column, or leaves it out and says so", () =>
    Effect.gen(function* () {
      const columns = declare({ a: Column.int32 });
      const text = '[{"a":1},{"a":2,"b":"4711"},{"a":3,"A":4}]';
      const { rejects, report } = yield* run(text, columns);
      assert.deepStrictEqual(rejects, [
        {
          line: 1,
          reason: "unknown-key",
          detail: 'the key "b" is no column',
          raw: '{"a":2,"b":"4711"}',
          cut: false,
        },
        {
          line: 1,
          reason: "does-not-fit",
          detail: 'two keys are the column "a"',
          raw: '{"a":3,"A":4}',
          cut: false,
        },
      ]);
      assert.strictEqual(report.rowsIn, 3);
      const lax = yield* run(text, { ...columns, undeclaredColumns: "ignore" });
      assert.deepStrictEqual(lax.report.ignored, ["b"]);
      assert.strictEqual(lax.report.rowsOut, 2);
    }),
  );

  it.effect("rejects what does not fit, is missing, is no object or no JSON, and goes on", () =>
    Effect.gen(function* () {
      const columns = declare({ a: Column.int32, b: Schema.NullOr(Column.boolean) });
      const good = '{"a":1,"b":true}';
      const bad = [
        ['{"a":1.5,"b":null}', "does-not-fit"],
        ['{"a":null,"b":false}', "does-not-fit"],
        ['{"a":1}', "does-not-fit"],
        ['{"a":1,"b":"yes"}', "does-not-fit"],
        ["[1]", "not-an-object"],
        ["12345678901234567890", "not-an-object"],
        ["{a:1}", "not-json"],
        ['{"a":1,"b":true} {}', "not-json"],
        ['{"a":1,"b":"\\ud800"}', "broken-text"],
      ] as const;
      const lines = bad.flatMap(([text]) => [text, good]);
      for (const [text, at] of [
        [`${good}\n${lines.join("\n")}`, (index: number) => 2 + 2 * index],
        [`[${good},\n${lines.join(",\n")}]`, (index: number) => 2 + 2 * index],
      ] as const) {
        const { rejects, report } = yield* run(text, { ...columns, duplicates: "none" });
        assert.deepStrictEqual(
          rejects.map((reject) => Schema.decodeUnknownSync(Told)(reject)),
          bad.map(([raw, reason], index) => ({ line: at(index), reason, raw })),
        );
        assert.strictEqual(report.rowsOut, bad.length + 1);
      }
    }),
  );

  const broken: ReadonlyArray<readonly [string, string, string]> = [
    ["does not end", '[{"a":1},{"a":2}', "JsonBroken"],
    ["ends in a text", '[{"a":1},{"a":"2]}', "JsonBroken"],
    ["goes on behind its array", '[{"a":1}] x', "JsonBroken"],
    ["is an empty array, of which nothing is declared", "[]", "CsvEmpty"],
    ["has no object at all", '{"\n{"\n', "CsvTooManyRejects"],
    ["is one endless record", `[{"a":"${"x".repeat(2_000_000)}"}]`, "CsvRecordTooLong"],
    ["is one endless line", `{"a":"${"x".repeat(2_000_000)}`, "CsvRecordTooLong"],
    ["has no keys for as long as one looks", "{}\n".repeat(40_000), "JsonBroken"],
  ];
  for (const [what, text, tag] of broken) {
    it.effect(`that ${what} fails with ${tag}`, () =>
      Effect.gen(function* () {
        for (const size of [4096, 10_000_000]) {
          const failure = yield* Effect.flip(run(chunked(bytesOf(text), size)));
          assert.strictEqual(failure._tag, tag);
        }
      }),
    );
  }

  it.effect("may be an empty array when its columns are declared", () =>
    Effect.gen(function* () {
      const { report } = yield* run("[ ]\n", declare({ a: Column.int32 }));
      assert.strictEqual(report.rowsOut, 0);
      assert.strictEqual(report.columns[0]?.kind, "int32");
    }),
  );

  it.effect("gives the same columns when its keys come late, however it is chunked", () =>
    Effect.gen(function* () {
      const text = Array.from({ length: 6000 }, (_, i) =>
        i === 4000
          ? `{"id":${i},"late":1}\n`
          : i === 100
            ? `{"id":${i},"early":1}\n`
            : `{"id":${i}, "pad":"${"p".repeat(10)}"}\n`,
      ).join("");
      const whole = yield* run(text);
      assert.deepStrictEqual(whole.report.columns.map(({ name }) => name).slice(0, 3), [
        "id",
        "pad",
        "early",
      ]);
      assert.strictEqual(whole.report.rowsRejected, 1);
      for (const size of [1000, 65_536, 100_000]) {
        const again = yield* run(chunked(bytesOf(text), size));
        assert.isTrue(Buffer.from(again.file).equals(whole.file));
        assert.deepStrictEqual(again.rejects, whole.rejects);
      }
    }),
  );
});

const Told = Schema.Struct({ line: Schema.Int, reason: Schema.String, raw: Schema.String });

describe("readJsonRecord", () => {
  it("keeps every digit of a long number, and every text as it is", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
        fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
        (big, text) => {
          const cells = readJsonRecord(`{"n":${big},"d":${big}.25,"t":${JSON.stringify(text)}}`);
          const long = String(big).replace("-", "").length > 15;
          assert.deepStrictEqual(cells, [
            ["n", String(big)],
            [
              "d",
              long || String(big).replace("-", "").length > 13
                ? `${big}.25`
                : String(Number(`${big}.25`)),
            ],
            ["t", text],
          ]);
        },
      ),
    );
  });
});

it("formatOf tells CSV headers from JSON", () => {
  const table = [
    ["a,b\n1,2", "csv"],
    ["[id],[name]\n1,2", "csv"],
    ["{id},b", "csv"],
    ["", "csv"],
    ["\uFEFF[\n {", "json"],
    ["[]", "json"],
    ['{ "a"', "ndjson"],
  ] as const;
  for (const [text, expected] of table) assert.strictEqual(formatOf(text), expected, text);
});
