/**
 * Goal: a damaged or absurd file ends in a typed failure, or its rows are all accounted for and its output is whole.
 * Method: every cut and many flipped bits of a CSV, a JSON array and NDJSON; the widest header that is taken, and the next.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect, Result, Schema } from "effect";
import * as fc from "fast-check";
import { CsvFailure } from "../src/index.ts";
import { bytesOf, readHyparquet, run } from "./support.ts";

const isCsvFailure = Schema.is(CsvFailure);

/** Either the file is refused with its reason, or every row is somewhere. */
const survives = (bytes: Uint8Array) =>
  Effect.gen(function* () {
    const result = yield* Effect.result(run(bytes, { rejectedShareMax: 1 }));
    if (Result.isFailure(result)) {
      assert.isTrue(isCsvFailure(result.failure), String(result.failure));
      return "refused";
    }
    const { file, rejects, report } = result.success;
    const { blankRows, duplicates, rowsIn, rowsOut, rowsRejected } = report;
    assert.strictEqual(rowsIn, rowsOut + rowsRejected + duplicates + blankRows);
    assert.lengthOf(rejects, rowsRejected);
    assert.lengthOf(yield* readHyparquet(file), rowsOut);
    return "taken";
  });

const files = {
  CSV: 'id,order date,note\r\n1,2024-01-01,"a ""b"", é\r\n😀"\r\n2,x,\r\n,,\r\n1,2024-01-01,"a ""b"", é\r\n😀"\r\n',
  "a JSON array":
    '[{"id":1,"note":"é\\u0041\\"]"},\n {"id":9007199254740993,"note":null},\n{"id":2,"x":[{}]}]',
  NDJSON: '{"id":1,"note":"é"}\n{"id":2,"note":"\\ud83d\\ude00"}\n\n{"id":1,"note":"é"}\n',
};

describe("a damaged file", () => {
  for (const [kind, text] of Object.entries(files)) {
    const whole = bytesOf(text);

    it.live(`${kind}, cut anywhere, is refused or accounted for`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* survives(whole), "taken");
        const ends = new Set<string>();
        for (let length = 0; length < whole.length; length++)
          ends.add(yield* survives(whole.subarray(0, length)));
        assert.isTrue(ends.has("refused"));
      }),
    );

    it.live(
      `${kind} with flipped bits is refused or accounted for`,
      () =>
        Effect.gen(function* () {
          const flips = fc.sample(
            fc.array(fc.nat(whole.length * 8 - 1), { minLength: 1, maxLength: 4 }),
            {
              numRuns: 250,
              seed: 20_261_130,
            },
          );
          const ends = new Set<string>();
          for (const bits of flips) {
            const flipped = Uint8Array.from(whole);
            for (const bit of bits) flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            ends.add(yield* survives(flipped));
          }
          assert.deepStrictEqual([...ends].toSorted(), ["refused", "taken"]);
        }),
      30_000,
    );
  }
});

const wide = (columns: number): string => {
  const names = Array.from({ length: columns }, (_, index) => `c${index}`);
  return `${names.join(",")}\n${names.map((_, index) => index % 7).join(",")}\n`;
};

describe("a wide file", () => {
  it.live(
    "of 10,000 columns is taken",
    () =>
      Effect.gen(function* () {
        const { file, report } = yield* run(wide(10_000));
        assert.lengthOf(report.columns, 10_002);
        const [row = {}] = yield* readHyparquet(file);
        assert.strictEqual(row["c9999"], String(9999 % 7));
      }),
    60_000,
  );

  it.live("of one more is refused", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(run(wide(10_001)));
      assert.strictEqual(failure._tag, "CsvTooManyColumns");
    }),
  );
});
