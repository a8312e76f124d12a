/**
 * Records that have been found and not yet been decided about: so many at once that a look at the table of rows seen is not a
 * wait for memory each.
 */

import { lanes } from "../csv/RowHash.ts";

/** Records of a batch. */
const recordsMax = 2_048;

/** A batch, used again and again. */
export class RecordBatch {
  count = 0;
  /** Where each begins, where its line end stands, and what comes behind that. */
  readonly starts = new Int32Array(recordsMax);
  readonly textEnds = new Int32Array(recordsMax);
  readonly ends = new Int32Array(recordsMax);
  /** Three words each. */
  readonly hashes = new Uint32Array(recordsMax * lanes);
  /** 1 for each that is kept. */
  readonly kept = new Uint8Array(recordsMax);

  get isFull(): boolean {
    return this.count === recordsMax;
  }

  /** Adds a record, and gives the place of its hash. */
  add(start: number, textEnd: number, end: number): number {
    const { count } = this;
    this.starts[count] = start;
    this.textEnds[count] = textEnd;
    this.ends[count] = end;
    this.count += 1;
    return count * lanes;
  }
}
