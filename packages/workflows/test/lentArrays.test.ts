/**
 * Goal: the arrays of a group that has been written serve the next group of their column, and nobody notices.
 * Method: groups of one column that are filled while the one before waits, released, and filled again; files of many groups
 * against files that hyparquet-writer has made row by row.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { DateBuilder } from "../src/csv/DateBuilder.ts";
import { RecordCells } from "../src/csv/RecordCells.ts";
import { TextBuilder } from "../src/csv/TextBuilder.ts";
import { ParquetEncoder } from "../src/index.ts";
import type { ColumnPlan, GroupColumn } from "../src/parquet/ColumnPlan.ts";
import { rowValues } from "../src/parquet/rowValues.ts";
import { encoders } from "./support.ts";

const text: ColumnPlan = { name: "v", kind: "text", nullable: true };

const collect = (builder: TextBuilder | DateBuilder, rows: ReadonlyArray<string>): GroupColumn => {
  const cells = new RecordCells();
  for (const row of rows) {
    cells.loadTexts([row]);
    builder.add(cells, 0);
  }
  return builder.take();
};

const release = (column: GroupColumn): void => {
  if ("release" in column) column.release?.();
};

/** Rows of a group, none of which another group has. */
const rowsOf = (group: number, count: number, different: number) =>
  Array.from({ length: count }, (_, row) => `${group}:${row % different}`);

const dates = (group: number) =>
  Array.from({ length: 20_000 }, (_, row) => (group * 100 + (row % 90)) * 86_400_000);

const datesAsText = (group: number) => dates(group).map((date) => new Date(date).toISOString());

/** Six in ten are different: too few to give up searching, too many for a dictionary. */
const longRow = (group: number, index: number) =>
  `${group}:${Math.floor(index * 0.6)}${"-".repeat(60)}`;

const longRows = (group: number) =>
  Array.from({ length: 20_000 }, (_, index) => longRow(group, index));

/** Enough rows to lend arrays, and too few; texts that repeat, hardly, and not at all. */
const shapes = [20_000, 3_000].flatMap((count) =>
  [7, count / 2, count].map((different) => ({ count, different })),
);

describe("a group that waits keeps what it holds while the next one is filled", () => {
  for (const { count, different } of shapes)
    it(`${count} rows of ${different} texts`, () => {
      const builder = new TextBuilder(text, true);
      let waiting = collect(builder, rowsOf(0, count, different));
      for (let group = 1; group < 6; group += 1) {
        const next = collect(builder, rowsOf(group, count + group, different));
        const values = rowsOf(group - 1, count + group - 1, different);
        assert.deepStrictEqual(rowValues(waiting), { kind: "text", values });
        release(waiting);
        waiting = next;
      }
    });

  it("also dates", () => {
    const builder = new DateBuilder("v", "refuse");
    let waiting = collect(builder, datesAsText(0));
    for (let group = 1; group < 4; group += 1) {
      const next = collect(builder, datesAsText(group));
      assert.deepStrictEqual(rowValues(waiting), { kind: "timestamp", values: dates(group - 1) });
      release(waiting);
      waiting = next;
    }
  });
});

const write = (columns: Iterable<GroupColumn>, rows: number) =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = [];
    const sink = (bytes: Uint8Array) => Effect.sync(() => void chunks.push(bytes));
    const part = yield* (yield* ParquetEncoder).open([text], sink, "snappy");
    for (const column of columns) {
      yield* part.writeRowGroup([column], rows);
      release(column);
    }
    yield* part.finish;
    return Buffer.concat(chunks);
  }).pipe(Effect.provide(encoders["hyparquet-writer"]));

describe("a file of many groups is the same as one whose groups are arrays of their own", () => {
  const groups = [0, 1, 2, 3];

  const agree = (rows: (group: number) => ReadonlyArray<string>, count: number) =>
    Effect.gen(function* () {
      const builder = new TextBuilder(text, true);
      const collected = function* () {
        for (const group of groups) yield collect(builder, rows(group));
      };
      const reference = groups.map((group) => ({
        kind: "text" as const,
        values: [...rows(group)],
      }));
      const written = yield* write(collected(), count);
      assert.isTrue(written.equals(yield* write(reference, count)));
    });

  for (const { count, different } of shapes)
    it.effect(`${count} rows of ${different} texts`, () =>
      agree((group) => rowsOf(group, count, different), count),
    );

  it.effect(
    "more text than the library takes for a page, whose bounds it keeps for the footer",
    () => agree(longRows, 20_000),
  );
});
