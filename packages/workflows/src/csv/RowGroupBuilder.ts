/**
 * Transform and enrich: turns cleaned rows into the columns of row groups.
 *
 * Text stays text; an empty cell is null (CSV cannot tell it from an empty text, quoted or not). The groups are cut by
 * rows and bytes of the rows alone, so the same file gives the same groups however it was chunked.
 */
import type { ColumnPlan, ColumnValues } from "../parquet/ColumnPlan.ts";
import type { DateColumn } from "./CsvReport.ts";
import { processedAtColumn, sourceFileColumn } from "./Header.ts";
import { cellOverheadBytes, rowGroupBytesMax } from "./Limits.ts";
import { parseTimestamp, type SlashDates } from "./Timestamp.ts";

/** A finished group. */
export interface RowGroup {
  readonly columns: ReadonlyArray<ColumnValues>;
  readonly rows: number;
  /** True when the part ends with this group. */
  readonly lastOfPart: boolean;
}

/** What the builder must know of a file. */
export interface RowGroupOptions {
  readonly names: ReadonlyArray<string>;
  readonly isDate: (name: string) => boolean;
  readonly slashDates: SlashDates;
  readonly processedAtEpochMs: number;
  readonly sourceFile: string;
  readonly rowGroupRowsMax: number;
  readonly partRowsMax: number;
}

/** Dates repeat a lot; parsing one costs twenty times a look-up. Cleared when full to stay bounded. */
const dateCacheMax = 50_000;

/**
 * Different texts of a column that are shared while a group is built. A column with few different values then keeps one
 * string per value instead of one per cell: less to hold, less for the garbage collector to move. A column with more
 * gives up until the next group.
 */
const sharedTextsMax = 2_000;

type TextColumn = {
  readonly kind: "text";
  readonly values: Array<string | null>;
  shared: Map<string, string> | undefined;
};
type DateValues = {
  readonly kind: "timestamp";
  readonly values: Array<number | null>;
  readonly figures: { name: string; parsed: number; unparsable: number; empty: number };
};

const addText = (column: TextColumn, cell: string): void => {
  if (cell === "") {
    column.values.push(null);
    return;
  }
  const known = column.shared?.get(cell);
  if (known === undefined) column.shared = share(column.shared, cell);
  column.values.push(known ?? cell);
};

const share = (shared: Map<string, string> | undefined, cell: string) => {
  if (shared === undefined || shared.size >= sharedTextsMax) return undefined;
  return shared.set(cell, cell);
};

/** Builds the row groups of one file. */
export class RowGroupBuilder {
  /** The output's columns. */
  readonly plan: ReadonlyArray<ColumnPlan>;
  /** Groups finished and not yet taken. */
  finished: Array<RowGroup> = [];
  rows = 0;
  readonly #options: RowGroupOptions;
  readonly #figures: ReadonlyArray<DateValues["figures"] | undefined>;
  readonly #dates = new Map<string, number | null>();
  #columns: ReadonlyArray<TextColumn | DateValues>;
  #groupRows = 0;
  #groupBytes = 0;
  #partRows = 0;

  constructor(options: RowGroupOptions) {
    this.#options = options;
    this.#figures = options.names.map((name) =>
      options.isDate(name) ? { name, parsed: 0, unparsable: 0, empty: 0 } : undefined,
    );
    this.plan = [
      ...options.names.map((name, index) => ({
        name,
        kind: this.#figures[index] === undefined ? ("text" as const) : ("timestamp" as const),
        nullable: true,
      })),
      { name: processedAtColumn, kind: "timestamp" as const, nullable: false },
      { name: sourceFileColumn, kind: "text" as const, nullable: false },
    ];
    this.#columns = this.#emptyColumns();
  }

  /** What the date columns came to. */
  get dateColumns(): ReadonlyArray<DateColumn> {
    return this.#figures.filter((figures) => figures !== undefined);
  }

  /** Adds a row of as many cells as there are names. */
  add(cells: ReadonlyArray<string>): void {
    let bytes = cells.length * cellOverheadBytes;
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index] ?? "";
      const column = this.#columns[index];
      bytes += cell.length;
      if (column === undefined) continue;
      if (column.kind === "text") addText(column, cell);
      else this.#addDate(column, cell);
    }
    this.rows += 1;
    this.#groupRows += 1;
    this.#partRows += 1;
    this.#groupBytes += bytes;
    const lastOfPart = this.#partRows >= this.#options.partRowsMax;
    if (
      lastOfPart ||
      this.#groupRows >= this.#options.rowGroupRowsMax ||
      this.#groupBytes >= rowGroupBytesMax
    )
      this.cut(lastOfPart);
  }

  /** Finishes the present group, if it has rows. */
  cut(lastOfPart: boolean): void {
    if (this.#groupRows === 0) return;
    this.finished.push({ columns: this.#enriched(), rows: this.#groupRows, lastOfPart });
    this.#columns = this.#emptyColumns();
    this.#groupRows = 0;
    this.#groupBytes = 0;
    if (lastOfPart) this.#partRows = 0;
  }

  #enriched(): ReadonlyArray<ColumnValues> {
    const length = this.#groupRows;
    const processedAt = Array.from({ length }, () => this.#options.processedAtEpochMs);
    const sourceFile = Array.from({ length }, () => this.#options.sourceFile);
    return [
      ...this.#columns,
      { kind: "timestamp", values: processedAt },
      { kind: "text", values: sourceFile },
    ];
  }

  #emptyColumns(): ReadonlyArray<TextColumn | DateValues> {
    return this.#figures.map((figures) =>
      figures === undefined
        ? { kind: "text", values: [], shared: new Map() }
        : { kind: "timestamp", values: [], figures },
    );
  }

  #addDate(column: DateValues, cell: string): void {
    if (cell === "") {
      column.figures.empty += 1;
      column.values.push(null);
      return;
    }
    const value = this.#parseDate(cell);
    if (value === null) column.figures.unparsable += 1;
    else column.figures.parsed += 1;
    column.values.push(value);
  }

  #parseDate(cell: string): number | null {
    const known = this.#dates.get(cell);
    if (known !== undefined) return known;
    const value = parseTimestamp(cell, this.#options.slashDates);
    if (this.#dates.size >= dateCacheMax) this.#dates.clear();
    this.#dates.set(cell, value);
    return value;
  }
}
