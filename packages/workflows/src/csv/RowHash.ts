/**
 * A 96-bit hash of a row's cells, for finding exact duplicates.
 *
 * Three independent 32-bit lanes run over the same words: each cell's length, then its UTF-16 units in pairs, so that
 * `["a","bc"]` and `["ab","c"]` differ. Among 100 million different rows the odds of one false match are about 6e-14.
 * It is fast, not cryptographic: whoever writes the file could forge a match, and would lose a row of their own.
 */

/** Where `hashRow` puts its three lanes. Never all zero, which means an empty slot to SeenRows. */
export type RowHash = Uint32Array;

/** A place for one hash; reuse it from row to row. */
export const makeRowHash = (): RowHash => new Uint32Array(3);

const finish = (lane: number): number => {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** Hashes a row into `out`. Each lane step is a bijection of the state, so one differing word always shows. */
export const hashRow = (cells: ReadonlyArray<string | null>, out: RowHash): void => {
  let one = 0x9747b28c | 0;
  let two = 0x1b873593 | 0;
  let three = 0x2545f491 | 0;
  for (const cell of cells) {
    // No text has a negative length, so null is like none.
    const units = cell === null ? -1 : cell.length;
    let word = units;
    for (let index = 0; ; index += 2) {
      one = Math.imul(one ^ word, 0x85ebca6b);
      one ^= one >>> 15;
      two = Math.imul(two ^ word, 0x9e3779b1);
      two ^= two >>> 13;
      three = Math.imul(three ^ word, 0xcc9e2d51);
      three ^= three >>> 16;
      if (cell === null || index >= units) break;
      word = cell.charCodeAt(index);
      if (index + 1 < units) word |= cell.charCodeAt(index + 1) << 16;
    }
  }
  out[0] = finish(one);
  out[1] = finish(two);
  out[2] = finish(three) || 1;
};
