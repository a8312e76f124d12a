/**
 * One array that a column fills, lends to a group until that is written, and fills again.
 *
 * What a group's arrays take counts as garbage outside of the heap, and V8 collects everything when there is enough of it:
 * with new arrays for each group twice as often, which was a tenth of all processor time or so (docs/benchmarks.md, data).
 */

/** Below this an array is copied instead: a file may have 10,000 columns, and two arrays each cost more than a copy. */
export const lentBytesMin = 16 * 1024;

/** An array that has been made larger than this is given up with its group. */
export const keptBytesMax = 1024 * 1024;

/** What has come back of a column's arrays. At most one: there is one group that is filled, and one that is written. */
export class Lent<A extends Int32Array | Buffer> {
  #spare: A | undefined;

  /** An array for the next group. */
  next(make: () => A): A {
    const spare = this.#spare ?? make();
    this.#spare = undefined;
    return spare;
  }

  /** The group is written. */
  back(array: A): void {
    if (array.byteLength <= keptBytesMax) this.#spare = array;
  }
}
