/**
 * Goal: the pure rules of the CSV pipeline: dates, names, delimiters, duplicates, keys.
 * Method: tables, and properties by fast-check with its printed seed.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import * as fc from "fast-check";
import { sniffDelimiter } from "../src/csv/Delimiter.ts";
import { columnNames } from "../src/csv/Header.ts";
import { RecordCells } from "../src/csv/RecordCells.ts";
import { makeRowHash, type RowHash, RowHasher } from "../src/csv/RowHash.ts";
import { SeenRows } from "../src/csv/SeenRows.ts";
import { makeSpillFile } from "../src/csv/SpillFile.ts";
import { calendarDate, epochDay, parseTimestamp, type SlashDates } from "../src/csv/Timestamp.ts";
import { parquetKey } from "../src/index.ts";

const cases: ReadonlyArray<readonly [string, string | null, SlashDates?]> = [
  ["2023-02-28", "2023-02-28T00:00:00.000Z"],
  [" 2023/02/28 ", "2023-02-28T00:00:00.000Z"],
  ["20230228", "2023-02-28T00:00:00.000Z"],
  ["2024-02-29 23:59:59.9999", "2024-02-29T23:59:59.999Z"],
  ["1900-02-29", null],
  ["2000-02-29", "2000-02-29T00:00:00.000Z"],
  ["2023-02-30", null],
  ["2023-13-01", null],
  ["0000-01-01", null],
  ["1815-06-18T11:35Z", "1815-06-18T11:35:00.000Z"],
  ["2023-03-01T00:30:00+01:00", "2023-02-28T23:30:00.000Z"],
  ["2023-03-01T00:30:00-0530", "2023-03-01T06:00:00.000Z"],
  ["2023-03-01T00:30+02", "2023-02-28T22:30:00.000Z"],
  ["2023-03-01T24:00:00Z", null],
  ["2023-03-01T23:59:60Z", null],
  ["2023-03-01T10:00+25:00", null],
  ["28 Feb 2023", "2023-02-28T00:00:00.000Z"],
  ["28-Feb-2023 10:00", "2023-02-28T10:00:00.000Z"],
  ["Sept 5, 2023", "2023-09-05T00:00:00.000Z"],
  ["31 Foo 2023", null],
  ["01/02/2023", null],
  ["01/02/2023", "2023-02-01T00:00:00.000Z", "day-first"],
  ["01/02/2023", "2023-01-02T00:00:00.000Z", "month-first"],
  ["13.02.2023", null, "month-first"],
  ["2023-1", null],
  ["1700000000", null],
  ["yesterday", null],
];

describe("parseTimestamp", () => {
  for (const [text, expected, slashDates = "refuse"] of cases) {
    it(`${JSON.stringify(text)} (${slashDates}) is ${expected}`, () => {
      const value = parseTimestamp(text, slashDates);
      assert.strictEqual(value === null ? null : new Date(value).toISOString(), expected);
    });
  }

  it("agrees with the platform's calendar on every real day, and back", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0001-01-01T00:00:00Z"),
          max: new Date("9999-12-31T23:59:59Z"),
          noInvalidDate: true,
        }),
        (date) => {
          assert.strictEqual(parseTimestamp(date.toISOString(), "refuse"), date.getTime());
          const { day, month, year } = calendarDate(date.getTime());
          assert.strictEqual(epochDay(year, month, day), Math.floor(date.getTime() / 86_400_000));
        },
      ),
    );
  });
});

describe("sniffDelimiter", () => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ["a,b,c\n1,2,3", ","],
    ["a;b;c\n1,5;2,5;3,5", ";"],
    ["a\tb\n1\t2", "\t"],
    ["a|b|c", "|"],
    ['"a;b;c",d\n1,2', ","],
    ["name;price, EUR\nx;1", ";"],
    ["one column\nvalue", ","],
    ["\n\na;b\n1;2", ";"],
    ["", ","],
  ];
  for (const [text, expected] of table) {
    it(`${JSON.stringify(text)} is separated by ${JSON.stringify(expected)}`, () => {
      assert.strictEqual(sniffDelimiter(text), expected);
    });
  }
});

it("column names are unique, never reserved and never empty, whatever the header", () => {
  const cell = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "a",
      "A ",
      "a_2",
      "",
      "__proto__",
      "constructor",
      "_source_file",
      "column_1",
      "toString",
    ),
  );
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 30 }), (header) => {
      const { names, renamed } = columnNames(header);
      assert.strictEqual(new Set(names).size, header.length);
      for (const name of names) {
        assert.notStrictEqual(name, "");
        assert.isFalse(Object.hasOwn(Object.prototype, name));
      }
      assert.isTrue(renamed.every((one) => names[one.position - 1] === one.name));
    }),
  );
});

const hasher = new RowHasher();
const cells = new RecordCells();
const hashRow = (texts: ReadonlyArray<string>, hash: RowHash): void => {
  cells.loadTexts(texts);
  hasher.hash(cells, hash);
};

describe("SeenRows", () => {
  it.effect("is exact across many spills to disk", () =>
    Effect.gen(function* () {
      const file = yield* makeSpillFile;
      const seen = new SeenRows({ slotsMax: 1024, filterBitsMin: 2 ** 12 });
      const hash = makeRowHash();
      const truth = new Set<number>();
      let state = 1;
      let spills = 0;
      for (let row = 0; row < 60_000; row++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        const value = (state >>> 8) % 30_000;
        hashRow([String(value), "x"], hash);
        assert.strictEqual(seen.add(hash), !truth.has(value));
        truth.add(value);
        if (seen.full) {
          seen.spill(file);
          spills += 1;
        }
      }
      assert.isAbove(spills, 20);
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  );

  it("hashes of different rows differ in every lane", () => {
    const lanes = [new Set<number>(), new Set<number>(), new Set<number>()];
    const hash = makeRowHash();
    for (let row = 0; row < 20_000; row++) {
      hashRow([`${row}`, `${row % 7}`, "constant"], hash);
      lanes.forEach((lane, index) => lane.add(hash[index] ?? 0));
    }
    // With 32 bits, 20,000 rows meet by chance about 0.05 times.
    for (const lane of lanes) assert.isAtLeast(lane.size, 19_998);
  });
});

describe("parquetKey", () => {
  const eventEpochMs = Date.UTC(2026, 0, 5, 23, 59);
  it("follows the event's date, in UTC", () => {
    assert.strictEqual(
      parquetKey({ key: "incoming/eu/sales.csv", eventEpochMs, prefix: "incoming/" }),
      "processed/eu/2026/01/05/sales.parquet",
    );
    assert.strictEqual(
      parquetKey({ key: "sales.csv", eventEpochMs, part: 3 }),
      "processed/2026/01/05/sales/part-00003.parquet",
    );
  });

  it("never gives two inputs of a day one output", () => {
    const segment = fc.constantFrom(
      "a",
      "b",
      "a.csv",
      "a.tsv",
      "a.CSV",
      "a.csv.csv",
      "a.tsv.csv",
      "a.file",
      "a.file.csv",
      "a.csv.parquet",
      "a.parquet",
      ".csv",
      "2026",
      "01",
    );
    const key = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join("/"));
    fc.assert(
      fc.property(key, key, (one, other) => {
        fc.pre(one !== other);
        assert.notStrictEqual(
          parquetKey({ key: one, eventEpochMs }),
          parquetKey({ key: other, eventEpochMs }),
        );
      }),
      { numRuns: 5000 },
    );
  });
});
