/**
 * Collects the values of one column of a row group: from text as it is, from dates where the header's name says so, or by
 * the rule of a declared column.
 */
import type { ColumnPlan, ColumnValues } from "../parquet/ColumnPlan.ts";
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import { type CellReader, cellReader, type CellValue } from "../schema/readCell.ts";
import { parseTimestamp, type SlashDates } from "./Timestamp.ts";

/** A cell's text; null is what JSON has as null or not at all. */
export type Cell = string | null;

/** One column of the groups of a file. */
export interface ColumnBuilder {
  readonly plan: ColumnPlan;
  /** Adds a cell's value. */
  readonly add: (cell: Cell) => void;
  /** The values so far, for good; the next group begins empty. */
  readonly take: () => ColumnValues;
}

/**
 * Different texts of a column that are shared while a group is built. A column with few different values then keeps one
 * string per value instead of one per cell: less to hold, less for the garbage collector to move. A column with more
 * gives up until the next group.
 */
const sharedTextsMax = 2_000;

/** Dates repeat a lot; parsing one costs twenty times a look-up. Cleared when full to stay bounded. */
const dateCacheMax = 50_000;

/** A value that reading cannot give: the text is not of the column's kind. */
const unfit = Symbol("unfit");

/** Text as it is; in CSV an empty one is null, as quotes do not tell the two apart there. */
export class TextBuilder implements ColumnBuilder {
  readonly plan: ColumnPlan;
  readonly #emptyIsNull: boolean;
  #values: Array<string | null> = [];
  #shared: Map<string, string> | undefined = new Map();

  constructor(name: string, emptyIsNull: boolean) {
    this.plan = { name, kind: "text", nullable: true };
    this.#emptyIsNull = emptyIsNull;
  }

  add(cell: Cell): void {
    const isNull = cell === null || (cell === "" && this.#emptyIsNull);
    this.#values.push(isNull ? null : this.#one(cell));
  }

  take(): ColumnValues {
    const values = this.#values;
    this.#values = [];
    this.#shared = new Map();
    return { kind: "text", values };
  }

  #one(cell: string): string {
    const known = this.#shared?.get(cell);
    if (known !== undefined) return known;
    if (this.#shared !== undefined && this.#shared.size < sharedTextsMax)
      this.#shared.set(cell, cell);
    else this.#shared = undefined;
    return cell;
  }
}

/** Dates by requirement D1.6: what cannot be read is null, and counted. */
export class DateBuilder implements ColumnBuilder {
  readonly plan: ColumnPlan;
  readonly figures: { name: string; parsed: number; unparsable: number; empty: number };
  readonly #slashDates: SlashDates;
  readonly #cache: Map<string, number | null>;
  #values: Array<number | null> = [];

  /** The cache may be shared by the columns of a file. */
  constructor(name: string, slashDates: SlashDates, cache: Map<string, number | null>) {
    this.plan = { name, kind: "timestamp", nullable: true };
    this.figures = { name, parsed: 0, unparsable: 0, empty: 0 };
    this.#slashDates = slashDates;
    this.#cache = cache;
  }

  add(cell: Cell): void {
    if (cell === "" || cell === null) {
      this.figures.empty += 1;
      this.#values.push(null);
      return;
    }
    const value = this.#parse(cell);
    if (value === null) this.figures.unparsable += 1;
    else this.figures.parsed += 1;
    this.#values.push(value);
  }

  take(): ColumnValues {
    const values = this.#values;
    this.#values = [];
    return { kind: "timestamp", values };
  }

  #parse(cell: string): number | null {
    const known = this.#cache.get(cell);
    if (known !== undefined) return known;
    const value = parseTimestamp(cell, this.#slashDates);
    if (this.#cache.size >= dateCacheMax) this.#cache.clear();
    // A copy: a cell is a view of the chunk that it came from, and would keep all of it.
    this.#cache.set(Buffer.from(cell, "utf8").toString("utf8"), value);
    return value;
  }
}

type Read = CellValue | null | typeof unfit;

/** The values of a declared column: `read` a cell first; when the whole row fits, `keep` what was read. */
export class DeclaredBuilder {
  readonly plan: ColumnPlan;
  readonly expected: string;
  readonly #emptyIsNull: boolean;
  readonly #reader: CellReader;
  readonly #accepts: DeclaredColumn["accepts"];
  #values: Array<CellValue | null> = [];
  /** What texts came to: reading is many times a look-up, and few columns hold only different texts. */
  #known: Map<string, Read> | undefined = new Map();
  #read: CellValue | null = null;

  /** In CSV an empty cell is null where it may be; JSON says null itself. */
  constructor(column: DeclaredColumn, slashDates: SlashDates, emptyIsNull: boolean) {
    this.plan = column.plan;
    this.#emptyIsNull = emptyIsNull;
    this.expected = column.expected;
    this.#accepts = column.accepts;
    this.#reader = cellReader(column.plan, slashDates);
  }

  /** What was read last. */
  get value(): CellValue | null {
    return this.#read;
  }

  /** False when the cell does not fit the column. */
  read(cell: Cell): boolean {
    const value = this.#valueOf(cell);
    if (value === unfit) return false;
    this.#read = value;
    return true;
  }

  /** Adds what was read last. */
  keep(): void {
    this.#values.push(this.#read);
  }

  take(): ColumnValues {
    const values = this.#values;
    this.#values = [];
    this.#known = new Map();
    return columnValues(this.plan.kind, values);
  }

  #valueOf(cell: Cell): Read {
    const isNull =
      cell === null ||
      (this.#emptyIsNull && cell === "" && (this.plan.nullable || this.plan.kind !== "text"));
    if (isNull) return this.plan.nullable ? null : unfit;
    const known = this.#known?.get(cell);
    if (known !== undefined) return known;
    const value = this.#judge(cell);
    if (this.#known !== undefined && this.#known.size < sharedTextsMax)
      this.#known.set(cell, value);
    else this.#known = undefined;
    return value;
  }

  #judge(cell: string): Read {
    const value = this.#reader(cell);
    if (value === undefined) return unfit;
    return this.#accepts === undefined || this.#accepts(value) ? value : unfit;
  }
}

const only = <A extends CellValue>(
  values: ReadonlyArray<CellValue | null>,
  is: (value: CellValue) => value is A,
): Array<A | null> =>
  values.map((value) => {
    if (value === null || is(value)) return value;
    throw new TypeError(`a column holds a ${typeof value}`);
  });

const isText = (value: CellValue): value is string => typeof value === "string";
const isNumber = (value: CellValue): value is number => typeof value === "number";
const isBigInt = (value: CellValue): value is bigint => typeof value === "bigint";
const isBoolean = (value: CellValue): value is boolean => typeof value === "boolean";

/** The values of a column of that kind. */
export const columnValues = (
  kind: ColumnPlan["kind"],
  values: ReadonlyArray<CellValue | null>,
): ColumnValues => {
  switch (kind) {
    case "text":
    case "json":
      return { kind, values: only(values, isText) };
    case "int32":
    case "double":
    case "date":
    case "timestamp":
      return { kind, values: only(values, isNumber) };
    case "int64":
    case "decimal":
      return { kind, values: only(values, isBigInt) };
    case "boolean":
      return { kind, values: only(values, isBoolean) };
  }
};
