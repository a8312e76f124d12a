/**
 * The codes of the rows of a group, and the judgement whether a column's cells repeat at all.
 */

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

/** One column's rows. */
export class RowCodes {
  rows = 0;
  #codes = new Int32Array(rowsFirst);

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

  clear(): void {
    this.rows = 0;
  }
}
