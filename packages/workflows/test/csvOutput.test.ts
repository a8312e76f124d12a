/**
 * Goal: the Parquet files are what a reader expects, and the first look agrees with the pass.
 * Method: small files by hand, read back by DuckDB; both encoders.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { sniffCsv } from "../src/index.ts";
import { bytesOf, processedAtEpochMs, queryDuckDb, run } from "./support.ts";

describe("output", () => {
  for (const encoder of ["hyparquet-writer", "parquetjs-lite"] as const) {
    it.effect(
      `${encoder}: where column = value finds values beyond ASCII, next to values that sort badly`,
      () =>
        Effect.gen(function* () {
          const values = ["\uFFEE", "😀", "a", "zz😀😀😀😀😀", "é", "東京"];
          const { file } = yield* run(`v\n${values.join("\n")}\n`, {}, encoder);
          for (const value of values) {
            const found = yield* queryDuckDb(
              file,
              `select count(*)::int n from FILE where v = '${value}'`,
            );
            assert.deepStrictEqual(found, [{ n: 1 }]);
          }
        }),
    );

    it.effect(`${encoder}: the same input gives the same bytes`, () =>
      Effect.gen(function* () {
        const text = `id,date\n${Array.from({ length: 3000 }, (_, i) => `${i},2021-01-01`).join("\n")}\n`;
        const one = yield* run(text, { rowGroupRowsMax: 1000 }, encoder);
        const two = yield* run(text, { rowGroupRowsMax: 1000 }, encoder);
        assert.isTrue(Buffer.from(one.file).equals(two.file));
        assert.strictEqual(one.report.stages.output.rowGroups, 3);
      }),
    );
  }

  it.effect("snappy, dictionary and true statistics", () =>
    Effect.gen(function* () {
      const { file } = yield* run(
        `city\n${Array.from({ length: 999 }, (_, i) => `${["Oslo", "東京", "Zürich"][i % 3]}`).join("\n")}\n`,
        { duplicates: "none" },
      );
      const [meta] = yield* queryDuckDb(
        file,
        "select compression, encodings, stats_min_value mn, stats_max_value mx, stats_null_count::int n from parquet_metadata(FILE) where path_in_schema = 'city'",
      );
      assert.deepStrictEqual(meta, {
        compression: "SNAPPY",
        encodings: "PLAIN, RLE_DICTIONARY",
        mn: "Oslo",
        mx: "東京",
        n: 0,
      });
    }),
  );

  it.effect("both encoders hold the same rows", () =>
    Effect.gen(function* () {
      const text = `id,fecha,t\n${Array.from({ length: 500 }, (_, i) => `${i},${1900 + (i % 200)}-03-0${(i % 9) + 1},${i % 3 === 0 ? "" : `é${i}`}`).join("\n")}\n`;
      const rows = yield* Effect.forEach(
        ["hyparquet-writer", "parquetjs-lite"] as const,
        (encoder) =>
          Effect.flatMap(run(text, {}, encoder), ({ file }) =>
            queryDuckDb(
              file,
              "select id, epoch_ms(fecha) f, t, epoch_ms(_processed_at) p, _source_file from FILE",
            ),
          ),
      );
      assert.strictEqual(rows[0]?.length, 500);
      assert.deepStrictEqual(rows[0], rows[1]);
      assert.strictEqual(rows[0]?.[0]?.["p"], String(processedAtEpochMs));
    }),
  );
});

describe("sniffCsv", () => {
  const options = { source: "raw/in.csv", sourceFile: "raw/in.csv", processedAtEpochMs };
  const look = (text: string, bytes = bytesOf(text).length) =>
    sniffCsv(options, { first: bytesOf(text), bytes });

  it.effect("finds what the pass finds", () =>
    Effect.gen(function* () {
      for (const text of ["A;Fecha;a\n1;2020-01-01;é\n", "only a header", '\uFEFF"x","y"\n']) {
        const sniffed = yield* look(text);
        const { report } = yield* run(text);
        const { columns, delimiter = ",", encoding, encodingOrigin, renamed } = report;
        assert.deepStrictEqual(sniffed, {
          columns,
          delimiter,
          encoding,
          encodingOrigin,
          renamed,
        });
      }
    }),
  );

  it.effect("says no to what is no CSV, and waits with what it cannot know yet", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(look("")))._tag, "CsvEmpty");
      assert.strictEqual((yield* Effect.flip(look("\n\n")))._tag, "CsvEmpty");
      assert.strictEqual((yield* Effect.flip(look("\u001f\0binary")))._tag, "CsvNotText");
      assert.deepStrictEqual((yield* look("a header that goes on", 1_000_000)).columns, []);
    }),
  );
});
