/**
 * Values that are read from the cells of a column: each different cell of a row group is read once.
 *
 * Reading a date or a decimal is many times a look-up. A column whose cells hardly repeat gives that up until the next group.
 */
import type { ColumnPlan, GroupColumn } from "../parquet/ColumnPlan.ts";
import type { CellValue } from "../schema/readCell.ts";
import { CellCodes } from "./CellCodes.ts";
import { columnValues } from "./ColumnBuilder.ts";
import type { RecordCells } from "./RecordCells.ts";
import { isHopeless, nullCode, RowCodes } from "./RowCodes.ts";

/** A value that reading cannot give: the text is not of the column's kind. */
export const unfit = Symbol("unfit");

/** What a cell comes to. */
export type Read = CellValue | null | typeof unfit;

/** The most cells that are remembered: whoever reads without keeping, as steps do, never begins a new group. */
const differentMax = 65_536;

/** One column: `read` a cell, then `keep` what was read or not. */
export class ReadValues {
  readonly #read: (text: string) => Read;
  readonly #texts = new CellCodes();
  /** What the different cells came to. */
  #reads: Array<Read> = [];
  /** The number of each one's value, once a row holds it. */
  #numbers: Array<number> = [];
  #different: Array<CellValue | null> = [];
  readonly #rows = new RowCodes();
  /** The values row by row, once the cells do not repeat. */
  #each: Array<CellValue | null> | undefined;
  /** Cells that were looked for. */
  #asked = 0;
  #last: CellValue | null = null;
  #lastCode = nullCode;

  constructor(read: (text: string) => Read) {
    this.#read = read;
  }

  /** Reads a cell that is not null. */
  read(cells: RecordCells, index: number): Read {
    if (this.#each !== undefined) return this.#note(this.#read(cells.text(index) ?? ""), nullCode);
    const code = this.#texts.of(cells, index);
    this.#asked += 1;
    if (
      this.#texts.crowded ||
      this.#texts.count > differentMax ||
      isHopeless(this.#asked, this.#texts.count)
    )
      this.#each = this.#expanded();
    const known = this.#reads[code];
    if (known !== undefined) return this.#note(known, code);
    const value = this.#read(cells.text(index) ?? "");
    this.#reads[code] = value;
    return this.#note(value, code);
  }

  /** In place of reading a cell that is null. */
  readNull(): null {
    this.#note(null, nullCode);
    return null;
  }

  /** Adds what was read last. */
  keep(): void {
    if (this.#each === undefined) this.#rows.push(this.#lastNumber());
    else this.#each.push(this.#last);
  }

  /** The values of a group, until they are released; the next one begins empty. */
  take(kind: ColumnPlan["kind"]): GroupColumn {
    // Booleans have no dictionary.
    if (kind === "boolean") this.#each ??= this.#expanded();
    const taken: GroupColumn =
      this.#each === undefined
        ? {
            kind: "coded",
            values: columnValues(kind, this.#different),
            ...this.#rows.take(),
          }
        : columnValues(kind, this.#each);
    this.#each = undefined;
    this.#asked = 0;
    this.#reads = [];
    this.#numbers = [];
    this.#different = [];
    this.#texts.clear();
    this.#rows.clear();
    return taken;
  }

  /** The number of the value that was read last. Only values that are kept have one: the statistics are made of them. */
  #lastNumber(): number {
    if (this.#last === null) return nullCode;
    const known = this.#numbers[this.#lastCode];
    if (known !== undefined) return known;
    const number = this.#different.length;
    this.#different.push(this.#last);
    this.#numbers[this.#lastCode] = number;
    return number;
  }

  #note(read: Read, code: number): Read {
    this.#last = read === unfit ? null : read;
    this.#lastCode = code;
    return read;
  }

  #expanded(): Array<CellValue | null> {
    return Array.from(this.#rows.codes, (code) =>
      code === nullCode ? null : (this.#different[code] ?? null),
    );
  }
}
