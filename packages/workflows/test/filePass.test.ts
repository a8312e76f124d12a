/**
 * Goal: a pass that goes on where another has ended a part, with nothing but the file and what the history holds, writes
 * the bytes that the uninterrupted pass writes.
 * Method: each input is passed over in parts of a few rows; then, for every part, a new pass begins there.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Layer, Schema, Stream } from "effect";
import { gzipSync } from "node:zlib";
import type { CsvOptions } from "../src/index.ts";
import { openFilePass, type PartEnd } from "../src/csv/FilePass.ts";
import { Column, columnPlan, layerHyparquet } from "../src/index.ts";
import { bytesOf, chunked, processedAtEpochMs } from "./support.ts";
import { Result } from "effect";

interface PartResult {
  readonly end: PartEnd;
  readonly parquet: string;
  readonly rejects: ReadonlyArray<unknown>;
}

const optionsWith = (options: Partial<CsvOptions>): CsvOptions => ({
  source: "raw/in.csv",
  sourceFile: "raw/in.csv@1",
  processedAtEpochMs,
  partRowsMax: 7,
  rowGroupRowsMax: 3,
  keepHashes: true,
  ...options,
});

/** The parts from the one behind `before` on, and the report. */
const partsFrom = (
  file: Uint8Array,
  options: Partial<CsvOptions>,
  chunkBytes: number,
  before: ReadonlyArray<PartResult> = [],
) =>
  Effect.gen(function* () {
    const read: Array<number> = [];
    const open = (fromByte: number) => {
      read.push(fromByte);
      return Stream.fromIterable(chunked(file.subarray(fromByte), chunkBytes));
    };
    const position = before.at(-1)?.end.next;
    const hashes = Stream.fromIterable(before.flatMap(({ end }) => end.hashes ?? []));
    const pass = yield* openFilePass(
      optionsWith(options),
      open,
      position === undefined ? undefined : { position, hashes },
    );
    const results: Array<PartResult> = [];
    let next: PartEnd["next"];
    do {
      const parquet: Array<Uint8Array> = [];
      const rejects: Array<unknown> = [];
      const end = yield* pass.part(before.length + results.length + 1, {
        parquet: Effect.succeed((bytes: Uint8Array) => Effect.sync(() => void parquet.push(bytes))),
        rejects: (rows) => Effect.sync(() => void rejects.push(...rows)),
      });
      results.push({ end, parquet: Buffer.concat(parquet).toString("latin1"), rejects });
      next = end.next;
    } while (next !== undefined);
    const parts = [...before, ...results].flatMap(({ end }) => end.part ?? []);
    return { results, report: yield* pass.report(parts), read };
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(layerHyparquet, NodeServices.layer)));

const rows = Array.from({ length: 40 }, (_, index) => index);

const csv = (lineEnd: string, cell: (index: number) => string): string =>
  [
    "id,name,order_date",
    ...rows.map((index) => `${index % 31},${cell(index)},2024-01-${(index % 28) + 1}`),
  ].join(lineEnd) + lineEnd;

const nasty = csv("\r\n", (index) =>
  index % 5 === 0
    ? `"line\r\nbreak, ""${index % 31}"""`
    : index === 17
      ? `"broken"x`
      : `ä😀${index % 31}`,
).replace("\r\n9,", "\r\n\r\n,,\r\n9,short\r\n9,");

const records = rows.map((index) => ({
  id: index % 31,
  name: `ä\n${index % 31}`,
  note: [index % 31, "]},{"],
}));

const declared = Result.getOrThrow(
  columnPlan(
    Schema.Struct({ id: Column.int64, name: Column.text, note: Schema.optionalKey(Column.json) }),
  ),
);

const inputs: Record<string, { bytes: Uint8Array; options?: Partial<CsvOptions>; seeks: boolean }> =
  {
    "CSV with line breaks, rejects, blank rows and duplicates": {
      bytes: bytesOf(nasty),
      seeks: true,
    },
    "CSV with a byte-order mark": { bytes: bytesOf(`\uFEFF${nasty}`), seeks: true },
    "mixed line ends": { bytes: bytesOf(csv("\r", String).replaceAll("3\r", "3\n")), seeks: true },
    "windows-1252, seen late": {
      bytes: Buffer.from(
        csv("\n", (index) => (index > 25 ? "caf\xe9" : "coffee")),
        "latin1",
      ),
      seeks: false,
    },
    "UTF-16": { bytes: Buffer.from(`\uFEFF${nasty}`, "utf16le"), seeks: false },
    gzip: { bytes: gzipSync(nasty), seeks: false },
    "NDJSON without a schema": {
      bytes: bytesOf(records.map((record) => JSON.stringify(record)).join("\n")),
      seeks: true,
    },
    "a JSON array without a schema": {
      bytes: bytesOf(JSON.stringify(records, undefined, 1)),
      seeks: true,
    },
    "a JSON array with a schema": {
      bytes: bytesOf(JSON.stringify([...records, { id: "x" }, 7, ...records])),
      options: { columns: declared, undeclaredColumns: "ignore" },
      seeks: true,
    },
    "duplicates of a part": { bytes: bytesOf(nasty), options: { duplicates: "part" }, seeks: true },
    "duplicates kept": { bytes: bytesOf(nasty), options: { duplicates: "none" }, seeks: true },
  };

const repeated = bytesOf(`a\n${rows.map((index) => index % 10).join("\n")}`);

/** Rows written, and duplicates dropped. */
const count = (duplicates: "none" | "part" | "file") =>
  Effect.map(
    partsFrom(repeated, { duplicates, keepHashes: duplicates === "file" }, 64),
    ({ report }) => [report.rowsOut, report.duplicates],
  );

describe("a pass that goes on in another process", () => {
  for (const [name, { bytes, options = {}, seeks }] of Object.entries(inputs)) {
    it.live(`writes the same: ${name}`, () =>
      Effect.gen(function* () {
        const whole = yield* partsFrom(bytes, { rejectedRowsTolerated: 100, ...options }, 64);
        assert.isAbove(whole.results.length, 4);
        for (let done = 1; done < whole.results.length; done++) {
          const before = whole.results.slice(0, done);
          const rest = yield* partsFrom(bytes, options, 1 + 37 * done, before);
          assert.deepStrictEqual(
            rest.results.map(({ parquet, rejects, end }) => ({ parquet, rejects, part: end.part })),
            whole.results
              .slice(done)
              .map(({ parquet, rejects, end }) => ({ parquet, rejects, part: end.part })),
          );
          assert.deepStrictEqual(rest.report, whole.report);
          assert.strictEqual(
            rest.read.some((from) => from > 0),
            seeks && done > 0,
          );
        }
      }),
    );
  }

  it.live("drops duplicates across parts only when they are those of the file", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* count("none"), [40, 0]);
      assert.deepStrictEqual(yield* count("file"), [10, 30]);
      // Seven different rows end a part, so only repeats between are dropped.
      assert.deepStrictEqual(yield* count("part"), [40, 0]);
    }),
  );
});
