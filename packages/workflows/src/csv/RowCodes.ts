/**
 * The codes of the rows of a group, and the judgement whether a column's cells repeat at all.
 */
import { Lent, lentBytesMin } from "./Lent.ts";

/** Cells after which a column is judged. */
const judgedCells = 2_048;

/** A column of more different cells than this share is not worth searching: a dictionary would be no smaller. */
const differentShareMax = 0.9;

/** Whether now is the time to judge a column, and `different` of its cells so far are too many. */
export const isHopeless = (cells: number, different: number): boolean =>
  cells === judgedCells && different > judgedCells * differentShareMax;

/** Of a row without a value. */
export const nullCode = -1;

/** Small, as a file may have 10,000 columns. */
const rowsFirst = 64;

/** The codes of a group's rows, and what is to be called when they are written. */
export interface RowsTaken {
  readonly codes: Int32Array;
  readonly release?: () => void;
}

/** One column's rows. */
export class RowCodes {
  rows = 0;
  #codes = new Int32Array(rowsFirst);
  readonly #lent = new Lent<Int32Array<ArrayBuffer>>();

  push(code: number): void {
    if (this.rows === this.#codes.length) {
      const larger = new Int32Array(this.#codes.length * 2);
      larger.set(this.#codes);
      this.#codes = larger;
    }
    this.#codes[this.rows] = code;
    this.rows += 1;
  }

  /** The rows so far: a view. */
  get codes(): Int32Array {
    return this.#codes.subarray(0, this.rows);
  }

  /** The rows so far, until they are released; the next group begins empty. */
  take(): RowsTaken {
    const codes = this.#codes;
    const rows = this.rows;
    this.rows = 0;
    if (rows * 4 < lentBytesMin) return { codes: codes.slice(0, rows) };
    this.#codes = this.#lent.next(() => new Int32Array(rowsFirst));
    return { codes: codes.subarray(0, rows), release: () => this.#lent.back(codes) };
  }

  clear(): void {
    this.rows = 0;
  }
}
