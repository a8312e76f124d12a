/**
 * Goal: sorting rows into months loses none, keeps their order, and holds no more than it may.
 * Method: groups of dates that take turns, of any mix (fast-check), with a small bound.
 */
import { assert, describe, it } from "@effect/vitest";
import * as fc from "fast-check";
import { type MonthGroup, MonthlyGroups } from "../src/csv/MonthlyGroups.ts";
import { emptyMonth, monthOf, monthPartition } from "../src/dataset/Month.ts";
import type { ColumnPlan } from "../src/parquet/ColumnPlan.ts";

const plan: ReadonlyArray<ColumnPlan> = [
  { name: "day", kind: "date", nullable: true },
  { name: "id", kind: "int32", nullable: false },
  { name: "note", kind: "text", nullable: true },
];

interface Row {
  readonly day: number | null;
  readonly id: number;
  readonly note: string | null;
}

const groupOf = (rows: ReadonlyArray<Row>) => ({
  columns: [
    { kind: "date" as const, values: rows.map(({ day }) => day) },
    { kind: "int32" as const, values: rows.map(({ id }) => id) },
    { kind: "text" as const, values: rows.map(({ note }) => note) },
  ],
});

const rowsOf = ({ columns }: MonthGroup): ReadonlyArray<unknown> =>
  (columns[1]?.values ?? []).map((id, index) => ({
    day: columns[0]?.values[index],
    id,
    note: columns[2]?.values[index],
  }));

const sortAll = (
  groups: ReadonlyArray<ReadonlyArray<Row>>,
  { bytesMax, rowsMax }: { readonly bytesMax: number; readonly rowsMax: number },
) => {
  const months = new MonthlyGroups({ plan, column: "day", rowsMax, bytesMax });
  const finished = groups.map((rows) => months.add(groupOf(rows)));
  return { finished: [...finished, months.end()], months: months.months };
};

const monthOfRow = ({ day }: Row) => (day === null ? emptyMonth : monthOf("date", day));

const day = fc.option(fc.integer({ min: -719_162, max: 2_932_896 }), { nil: null });
const someDays = fc.uniqueArray(day, { minLength: 1, maxLength: 5 });
const groups = someDays.chain((days) =>
  fc.array(
    fc.array(
      fc.record(
        {
          day: fc.constantFrom(...days),
          id: fc.integer(),
          note: fc.option(fc.string(), { nil: null }),
        },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 20 },
    ),
    { maxLength: 10 },
  ),
);

const row = (day: number, id: number): Row => ({ day, id, note: null });
const partitionAt = (text: string) => monthPartition(monthOf("timestamp", Date.parse(text)));

describe("the rows of a part, sorted by month", () => {
  it("are all there, in their order, whatever the bounds", () => {
    fc.assert(
      fc.property(
        groups,
        fc.integer({ min: 20, max: 60 }),
        fc.integer({ min: 0, max: 5_000 }),
        (all, rowsMax, bytesMax) => {
          const { finished, months } = sortAll(all, { rowsMax, bytesMax });
          const rows = all.flat();
          const found = new Map<number, Array<unknown>>();
          for (const group of finished.flat()) {
            assert.isAtMost(group.rows, rowsMax);
            found.set(group.month, [...(found.get(group.month) ?? []), ...rowsOf(group)]);
          }
          const wanted = new Map<number, Array<Row>>();
          for (const row of rows)
            wanted.set(monthOfRow(row), [...(wanted.get(monthOfRow(row)) ?? []), row]);
          assert.deepStrictEqual(found, wanted);
          assert.strictEqual(months, wanted.size);
        },
      ),
    );
  });

  it("are finished where most are, when more are held than may be", () => {
    const { finished } = sortAll([[row(0, 1), row(40, 2), row(0, 3)], [row(40, 4)]], {
      rowsMax: 100,
      // Three rows of three cells of 16 bytes, and not four.
      bytesMax: 150,
    });
    assert.deepStrictEqual(
      finished.map((groups) => groups.map(({ month, rows }) => [month, rows])),
      [[], [[monthOf("date", 0), 2]], [[monthOf("date", 40), 2]]],
    );
  });

  it("have the calendar's month in UTC, before 1970 too", () => {
    assert.deepStrictEqual(partitionAt("1969-12-31T23:59:59.999Z"), { year: "1969", month: "12" });
    assert.deepStrictEqual(partitionAt("1970-01-01T00:00:00.000Z"), { year: "1970", month: "01" });
    assert.deepStrictEqual(partitionAt("0001-01-01T00:00:00.000Z"), { year: "0001", month: "01" });
    assert.deepStrictEqual(monthPartition(monthOf("date", -1)), { year: "1969", month: "12" });
    assert.strictEqual(monthPartition(emptyMonth).year, "__HIVE_DEFAULT_PARTITION__");
  });
});
