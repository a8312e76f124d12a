/**
 * Goal: the project's own CSV reader takes what csv-parse takes, cell by cell, however the bytes are chunked.
 * Method: random texts of the characters that matter; csv-parse is the reference.
 */
import { assert, describe, it } from "@effect/vitest";
import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { RecordReader } from "../src/csv/RecordReader.ts";
import { bytesOf, chunked } from "./support.ts";

const quoted = fc
  .string({
    unit: fc.constantFrom('""', ",", "\n", "\r", "\r\n", "a", "é", "😀", ";"),
    maxLength: 6,
  })
  .map((text) => `"${text}"`);
const plain = fc.string({
  unit: fc.constantFrom("a", "b c", "é", "東", "😀", ";", "'", "0"),
  maxLength: 6,
});
/** A quote in the middle of a cell is text. */
const pipe = plain.filter((text) => text !== "").map((text) => `${text}"`);
const line = fc
  .array(fc.oneof(quoted, plain, pipe), { minLength: 1, maxLength: 4 })
  .map((cells) => cells.join(","));
const file = fc
  .tuple(
    fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 8 }),
    fc.option(line, { nil: "" }),
  )
  .map(([lines, last]) => lines.map(([cells, end]) => cells + end).join("") + last);

const read = (text: string, chunkBytes: number) => {
  const records: Array<ReadonlyArray<string>> = [];
  const ends: Array<string> = [];
  const reader = new RecordReader(
    "in",
    { delimiter: ",", quote: '"' },
    {
      record: (cells) => {
        records.push(cells.texts().map((text) => text ?? ""));
        return "ends-part";
      },
      rejected: () => undefined,
      partEnds: ({ line: next, textOffset }) => void ends.push(`${textOffset}:${next}`),
    },
  );
  const failure = chunked(bytesOf(text), chunkBytes).reduce<unknown>(
    (failed, chunk) => failed ?? reader.push(chunk),
    undefined,
  );
  return { records, ends, failure: failure ?? reader.end() };
};

const reference = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  parse(text, {
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
  });

const linesBefore = (text: string): number => text.replaceAll("\r\n", "\n").split(/[\n\r]/).length;

describe("the CSV reader", () => {
  it("reads what csv-parse reads, however it is chunked", () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 9 }), (text, chunkBytes) => {
        const { failure, records } = read(text, chunkBytes);
        assert.isUndefined(failure);
        assert.deepStrictEqual(records, reference(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("knows where each record ends, in bytes and lines", () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 9 }), (text, chunkBytes) => {
        const { ends, records } = read(text, chunkBytes);
        const bytes = Buffer.from(text, "utf8");
        let at = 0;
        for (const [index, one] of ends.entries()) {
          const [offset = 0, next] = one.split(":").map(Number);
          assert.deepStrictEqual(reference(bytes.subarray(at, offset).toString("utf8")), [
            records[index] ?? [],
          ]);
          if (offset < bytes.length)
            assert.strictEqual(next, linesBefore(bytes.subarray(0, offset).toString("utf8")));
          at = offset;
        }
        assert.strictEqual(at, bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});
