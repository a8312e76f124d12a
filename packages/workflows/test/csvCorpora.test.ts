/**
 * Goal: public CSV files that were not made for this product come out as they went in.
 * Method: csv-spectrum against its own JSON; vega-datasets against DuckDB's CSV reader, which shares no code with ours.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { packageFolder, queryDuckDb, readHyparquet, run } from "./support.ts";

const spectrum = packageFolder("csv-spectrum");
const vega = join(packageFolder("vega-datasets"), "data");

describe("csv-spectrum", () => {
  it.effect(
    "location_coordinates.csv, whose JSON tells of another row, keeps its quotes as text",
    () =>
      Effect.gen(function* () {
        const { file } = yield* run(
          readFileSync(join(spectrum, "csvs", "location_coordinates.csv")),
        );
        const [row] = yield* readHyparquet(file);
        assert.strictEqual(row?.["contact_phone_number"], "2095257564");
        assert.match(String(row?.["location_coordinates"]), /^37.36'37\.8"N 121.2'17\.9"W$/);
      }),
  );

  const pairs = readdirSync(join(spectrum, "csvs")).filter(
    (file) => file !== "location_coordinates.csv",
  );
  for (const file of pairs) {
    it.effect(`${file} holds what its JSON says`, () =>
      Effect.gen(function* () {
        const expected: unknown = JSON.parse(
          readFileSync(join(spectrum, "json", file.replace(".csv", ".json")), "utf8"),
        );
        const { file: parquet } = yield* run(readFileSync(join(spectrum, "csvs", file)), {
          duplicates: "none",
          dateColumns: [],
        });
        const rows = yield* readHyparquet(parquet);
        // An empty cell is null with us and "" there.
        const texts = rows.map((row) =>
          Object.fromEntries(
            Object.entries(row)
              .filter(([name]) => !name.startsWith("_"))
              .map(([name, value]) => [name, value ?? ""]),
          ),
        );
        assert.deepStrictEqual(texts, lowerCased(expected));
      }),
    );
  }
});

/** Expected rows with the names that D1.6 gives them. */
const lowerCased = (rows: unknown): unknown =>
  Array.isArray(rows)
    ? rows.map((row: object) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name.toLowerCase().replaceAll(" ", "_"),
            value,
          ]),
        ),
      )
    : rows;

describe("vega-datasets", () => {
  for (const [name, key] of [
    ["seattle-weather.csv", "date"],
    ["airports.csv", "iata"],
  ] as const) {
    for (const encoder of ["hyparquet-writer", "parquetjs-lite"] as const) {
      it.effect(`${name} through ${encoder} equals the source, cell by cell`, () =>
        Effect.gen(function* () {
          const path = join(vega, name);
          const { file, report } = yield* run(readFileSync(path), {}, encoder);
          const columns = report.columns.filter((column) => !column.name.startsWith("_"));
          const ours = columns
            .map(({ kind, name }) =>
              kind === "timestamp" ? `strftime("${name}", '%Y-%m-%d') as "${name}"` : `"${name}"`,
            )
            .join(", ");
          const source = `read_csv('${path}', all_varchar = true, nullstr = '', header = true)`;
          const [counts] = yield* queryDuckDb(
            file,
            `select (select count(*)::int from FILE) ours_n, (select count(*)::int from ${source}) source_n,
              (select count(*)::int from (select ${ours} from FILE except all select * from ${source})) more,
              (select count(*)::int from (select * from ${source} except all select ${ours} from FILE)) less`,
          );
          assert.deepStrictEqual(counts, {
            ours_n: report.rowsOut,
            source_n: report.rowsOut,
            more: 0,
            less: 0,
          });
          assert.isAbove(report.rowsOut, 1000);
          assert.strictEqual(report.rowsRejected + report.duplicates + report.nullDates, 0);
          const [first] = yield* queryDuckDb(
            file,
            `select count(distinct "${key}")::int n from FILE`,
          );
          assert.strictEqual(first?.["n"], report.rowsOut);
        }),
      );
    }
  }
});
