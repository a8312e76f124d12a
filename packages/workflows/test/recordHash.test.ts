/**
 * Goal: two records have the same hash when their cells are the same, however they are quoted, and another when they are not.
 * Method: random cells, written with quotes wherever they may stand; the quick scan says whether a record stands in its shortest form.
 */
import { assert, describe, it } from "@effect/vitest";
import * as fc from "fast-check";
import { PlainScan } from "../src/duckdb/PlainScan.ts";
import { RecordHasher } from "../src/duckdb/RecordHash.ts";
import { bytesOf } from "./support.ts";

const cell = fc.string({
  unit: fc.constantFrom("a", "b", ",", '"', "\n", "\r", "é"),
  maxLength: 5,
});
const row = fc.array(fc.tuple(cell, fc.boolean()), { minLength: 2, maxLength: 4 });

const written = (cells: ReadonlyArray<readonly [string, boolean]>): string =>
  cells
    .map(([text, isQuoted]) =>
      isQuoted || /[,"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
    )
    .join(",");

/** The hash of the second of two records, by its shortest text and, where the scan says that it stands so, as it stands. */
const hashesOf = (before: string, text: string, width: number): ReadonlyArray<string> => {
  const bytes = bytesOf(`${before}\n${text}\n`);
  const from = bytesOf(before).length + 1;
  const to = bytes.length - 1;
  const scan = new PlainScan(",", '"', width);
  const hasher = new RecordHasher(",", '"');
  scan.open(bytes);
  hasher.open(bytes);
  const out = new Uint32Array(3);
  const ways = scan.isPlain(from) && scan.isShort ? [true, false] : [false];
  return ways.map((isShort) => {
    hasher.hash(from, to, isShort, out, 0);
    return out.join();
  });
};

describe("the hash of a record's text", () => {
  it("is that of its cells", () => {
    const cellsOf = new Map<string, string>();
    fc.assert(
      fc.property(row, row, (before, cells) => {
        const plain = cells.map(([text]) => [text, false] as const);
        const [hash = ""] = hashesOf(written(before), written(plain), cells.length);
        for (const other of hashesOf("x,y", written(cells), cells.length))
          assert.strictEqual(other, hash);
        const key = JSON.stringify(plain);
        assert.strictEqual(cellsOf.get(hash) ?? key, key);
        cellsOf.set(hash, key);
      }),
      { numRuns: 3_000, seed: 20_261_201 },
    );
    assert.isAbove(cellsOf.size, 1_000);
  });

  it("needs no shortest form of a record that has quotes only where they are needed", () => {
    for (const [text, isShort] of [
      ["a,b", true],
      ['"a,b",c', true],
      ['"a""b",c', true],
      ['"a\nb","\r"', true],
      ['"a",b', false],
      ['"a,b","c"', false],
      ['"",b', false],
    ] as const)
      assert.lengthOf(hashesOf("x,y", text, 2), isShort ? 2 : 1, text);
  });
});
