/**
 * Sorts the rows of a part's row groups by the month of a column: row groups in, row groups of one month each out. Pure.
 *
 * It holds `bytesMax` of rows at most, beside the group that it is given: when there are more, the month that has most is
 * finished. Rows of a month stay in the file's order, and the same groups give the same groups.
 */
import { emptyMonth, monthOf } from "../dataset/Month.ts";
import type { ColumnPlan, ColumnValues, GroupColumn } from "../parquet/ColumnPlan.ts";
import { rowValues } from "../parquet/rowValues.ts";
import type { CellValue } from "../schema/readCell.ts";
import { columnValues } from "./ColumnBuilder.ts";
import { cellOverheadBytes } from "./Limits.ts";
import type { RowGroup } from "./RowGroupBuilder.ts";

/** Rows of one month. */
export interface MonthGroup {
  readonly month: number;
  readonly columns: ReadonlyArray<ColumnValues>;
  readonly rows: number;
}

type Values = ReadonlyArray<CellValue | null>;

interface Held {
  readonly month: number;
  readonly columns: ReadonlyArray<Array<CellValue | null>>;
  rows: number;
  bytes: number;
}

/** What it must know of a file. */
export interface MonthlyGroupsOptions {
  readonly plan: ReadonlyArray<ColumnPlan>;
  /** Name of a column that is a date or a timestamp. */
  readonly column: string;
  /** Rows of a group. */
  readonly rowsMax: number;
  readonly bytesMax: number;
}

const valuesOf = (column: GroupColumn): Values => rowValues(column).values;

/** The rows of one part. */
export class MonthlyGroups {
  readonly #options: MonthlyGroupsOptions;
  readonly #at: number;
  readonly #months = new Set<number>();
  readonly #held = new Map<number, Held>();
  #bytes = 0;

  constructor(options: MonthlyGroupsOptions) {
    this.#options = options;
    this.#at = options.plan.findIndex(({ name }) => name === options.column);
  }

  /** How many months have had rows. */
  get months(): number {
    return this.#months.size;
  }

  /** Takes a group's rows, and gives what is finished. */
  add(group: Pick<RowGroup, "columns">): ReadonlyArray<MonthGroup> {
    const values = group.columns.map(valuesOf);
    const finished: Array<MonthGroup> = [];
    for (const [month, rows] of this.#rowsByMonth(values[this.#at] ?? [])) {
      const held = this.#held.get(month);
      if (held !== undefined && held.rows + rows.length > this.#options.rowsMax)
        finished.push(this.#take(held));
      this.#keep(month, rows, values);
    }
    while (this.#bytes > this.#options.bytesMax) {
      const [first, ...rest] = this.#held.values();
      if (first === undefined) break;
      finished.push(
        this.#take(rest.reduce((most, one) => (one.bytes > most.bytes ? one : most), first)),
      );
    }
    return finished;
  }

  /** The part ends: gives the rest, month by month. */
  end(): ReadonlyArray<MonthGroup> {
    return [...this.#held.values()]
      .toSorted((one, other) => one.month - other.month)
      .map((held) => this.#take(held));
  }

  #rowsByMonth(dates: Values): ReadonlyMap<number, ReadonlyArray<number>> {
    const kind = this.#options.plan[this.#at]?.kind;
    if (kind !== "date" && kind !== "timestamp")
      throw new TypeError(`${this.#options.column} is no column of dates`);
    const byMonth = new Map<number, Array<number>>();
    for (const [row, date] of dates.entries()) {
      const month = typeof date === "number" ? monthOf(kind, date) : emptyMonth;
      const rows = byMonth.get(month);
      if (rows === undefined) byMonth.set(month, [row]);
      else rows.push(row);
    }
    return byMonth;
  }

  #keep(month: number, rows: ReadonlyArray<number>, values: ReadonlyArray<Values>): void {
    const held = this.#held.get(month) ?? {
      month,
      columns: this.#options.plan.map((): Array<CellValue | null> => []),
      rows: 0,
      bytes: 0,
    };
    let bytes = rows.length * values.length * cellOverheadBytes;
    for (const [index, column] of held.columns.entries()) {
      const from = values[index] ?? [];
      for (const row of rows) {
        const value = from[row] ?? null;
        if (typeof value === "string") bytes += value.length;
        column.push(value);
      }
    }
    held.rows += rows.length;
    held.bytes += bytes;
    this.#bytes += bytes;
    this.#held.set(month, held);
    this.#months.add(month);
  }

  #take(held: Held): MonthGroup {
    this.#held.delete(held.month);
    this.#bytes -= held.bytes;
    return {
      month: held.month,
      rows: held.rows,
      columns: this.#options.plan.map(({ kind }, index) =>
        columnValues(kind, held.columns[index] ?? []),
      ),
    };
  }
}
