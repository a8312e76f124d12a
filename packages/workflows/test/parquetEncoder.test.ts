/**
 * Goal: both encoders write exactly the values they are given, at every row-group boundary.
 * Method: values straight into the service; DuckDB and hyparquet read them back.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { type ColumnPlan, type ParquetCodec, ParquetEncoder } from "../src/index.ts";
import { encoders, queryDuckDb, readHyparquet } from "./support.ts";

const plan: ReadonlyArray<ColumnPlan> = [
  { name: "n", kind: "text", nullable: false },
  { name: 'odd, name.with "marks" é', kind: "text", nullable: true },
  { name: "t", kind: "timestamp", nullable: true },
];

/** One file of groups of the given sizes. */
const write = (groups: ReadonlyArray<number>, codec: ParquetCodec = "snappy") =>
  Effect.gen(function* () {
    const encoder = yield* ParquetEncoder;
    const chunks: Array<Uint8Array> = [];
    const part = yield* encoder.open(
      plan,
      (bytes) => Effect.sync(() => void chunks.push(bytes)),
      codec,
    );
    let from = 0;
    for (const rows of groups) {
      const numbers = Array.from({ length: rows }, (_, index) => from + index);
      yield* part.writeRowGroup(
        [
          { kind: "text", values: numbers.map(String) },
          { kind: "text", values: numbers.map((n) => (n % 3 === 0 ? null : `é😀${n % 10}`)) },
          {
            kind: "timestamp",
            values: numbers.map((n) => (n % 5 === 0 ? null : (n - 2000) * 86_400_000)),
          },
        ],
        rows,
      );
      from += rows;
    }
    const { bytes } = yield* part.finish;
    const file = new Uint8Array(Buffer.concat(chunks));
    assert.strictEqual(file.length, bytes);
    return file;
  });

for (const [name, layer] of Object.entries(encoders)) {
  describe(`encoder ${name}`, () => {
    for (const rows of [1, 4095, 4096, 4097, 4170, 8191, 8192, 8193]) {
      it.effect(`keeps ${rows} rows in groups that end around that number`, () =>
        Effect.gen(function* () {
          const file = yield* write([rows, 1, rows]);
          const [sums] = yield* queryDuckDb(
            file,
            `select count(*)::int c, count(distinct n)::int d, sum(n::bigint)::bigint s, count(t)::int t, min(epoch_ms(t)) lo, max(epoch_ms(t)) hi from FILE`.replace(
              "count(columns(*)[2])::int x,",
              "",
            ),
          );
          const total = 2 * rows + 1;
          const dated = Array.from({ length: total }, (_, n) => n).filter((n) => n % 5 !== 0);
          assert.deepStrictEqual(sums, {
            c: total,
            d: total,
            s: String((total * (total - 1)) / 2),
            t: dated.length,
            lo: String(((dated[0] ?? 0) - 2000) * 86_400_000),
            hi: String(((dated.at(-1) ?? 0) - 2000) * 86_400_000),
          });
          // 4,170 rows once made a gigabyte in a related library: the size must follow the rows.
          assert.isBelow(file.length, 2_000 + total * 40);
        }).pipe(Effect.provide(layer)),
      );
    }

    it.effect(
      "reads back the same in hyparquet, odd column names and dates before 1970 included",
      () =>
        Effect.gen(function* () {
          const rows = yield* readHyparquet(yield* write([7]));
          assert.deepStrictEqual(rows[1], {
            n: "1",
            'odd, name.with "marks" é': "é😀1",
            t: new Date(-1999 * 86_400_000),
          });
          assert.strictEqual(rows[0]?.["t"], null);
        }).pipe(Effect.provide(layer)),
    );

    it.effect("refuses null in a column that is not nullable", () =>
      Effect.gen(function* () {
        const encoder = yield* ParquetEncoder;
        const one = plan.slice(0, 1);
        const part = yield* encoder.open(one, () => Effect.void, "snappy");
        const failure = yield* Effect.flip(
          part.writeRowGroup([{ kind: "text", values: ["a", null] }], 2),
        );
        assert.strictEqual(failure._tag, "ParquetEncodingFailed");
      }).pipe(Effect.provide(layer)),
    );
  });
}

it("parquetjs-lite is the one version whose internals its encoder leans on", () => {
  const path = createRequire(import.meta.url).resolve("parquetjs-lite/package.json");
  assert.include(readFileSync(path, "utf8"), '"version": "0.8.7"');
});

describe("zstd", () => {
  it.effect("is read by both readers, and holds what snappy holds", () =>
    Effect.gen(function* () {
      const [snappy, zstd] = [yield* write([5000, 3]), yield* write([5000, 3], "zstd")];
      assert.deepStrictEqual(yield* readHyparquet(zstd), yield* readHyparquet(snappy));
      const rows = "select * from FILE";
      assert.deepStrictEqual(yield* queryDuckDb(zstd, rows), yield* queryDuckDb(snappy, rows));
      assert.isBelow(zstd.length, snappy.length);
    }).pipe(Effect.provide(encoders["hyparquet-writer"])),
  );

  it.effect("is refused by parquetjs-lite, which cannot write it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(write([1], "zstd"));
      assert.strictEqual(error._tag, "ParquetEncodingFailed");
      assert.include(error.message, "zstd");
    }).pipe(Effect.provide(encoders["parquetjs-lite"])),
  );
});
