/**
 * A 96-bit hash of a row's cells, for finding exact duplicates.
 *
 * Three independent 32-bit lanes run over the same words: each cell's length, then its UTF-16 units in pairs, so that
 * `["a","bc"]` and `["ab","c"]` differ. Among 100 million different rows the odds of one false match are about 6e-14.
 * It is fast, not cryptographic: whoever writes the file could forge a match, and would lose a row of their own.
 */

import type { RecordCells } from "./RecordCells.ts";

/** No text has a negative length, so null is like none. */
const nullLength = -1;

/** Lanes of a hash, 32 bits each. */
export const lanes = 3;

/** Where a hash's three lanes stand. Never all zero, which means an empty slot to SeenRows. */
export type RowHash = Uint32Array;

/** A place for one hash; reuse it from row to row. */
export const makeRowHash = (): RowHash => new Uint32Array(lanes);

const finishLane = (lane: number): number => {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** Puts a hash into `out` at `place`: its lanes, each with its bits mixed at the end. */
export const putHash = (
  one: number,
  two: number,
  three: number,
  out: Uint32Array,
  place: number,
): void => {
  out[place] = finishLane(one);
  out[place + 1] = finishLane(two);
  out[place + 2] = finishLane(three) || 1;
};

/** Hashes words into `out`. Each lane step is a bijection of the state, so one differing word always shows. */
const hashWords = (words: Int32Array, count: number, out: RowHash): void => {
  let one = 0x9747b28c | 0;
  let two = 0x1b873593 | 0;
  let three = 0x2545f491 | 0;
  for (let index = 0; index < count; index += 1) {
    const word = words[index] ?? 0;
    one = Math.imul(one ^ word, 0x85ebca6b);
    one ^= one >>> 15;
    two = Math.imul(two ^ word, 0x9e3779b1);
    two ^= two >>> 13;
    three = Math.imul(three ^ word, 0xcc9e2d51);
    three ^= three >>> 16;
  }
  putHash(one, two, three, out, 0);
};

/** Hashes rows. The words are UTF-16 whatever the cells are, as the hashes of earlier parts of a file may lie in a store. */
export class RowHasher {
  #words = new Int32Array(1_024);
  #used = 0;

  /** Puts the hash of a row into `out`. */
  hash(cells: RecordCells, out: RowHash): void {
    this.#used = 0;
    for (let index = 0; index < cells.count; index += 1) {
      if (cells.isNull(index)) this.#reserve(1)[this.#used++] = nullLength;
      else if (cells.isAscii(index)) this.#addAscii(cells, index);
      else this.#addOther(cells, index);
    }
    hashWords(this.#words, this.#used, out);
  }

  #addAscii(cells: RecordCells, index: number): void {
    const bytes = cells.source(index);
    const to = cells.ends[index] ?? 0;
    let at = cells.starts[index] ?? 0;
    const words = this.#reserve((to - at + 3) >> 1);
    let used = this.#used;
    words[used++] = to - at;
    for (; at + 1 < to; at += 2) words[used++] = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 16);
    if (at < to) words[used++] = bytes[at] ?? 0;
    this.#used = used;
  }

  /** The UTF-16 units of a cell that is not plain ASCII, without a string. Its bytes are known to be UTF-8. */
  #addOther(cells: RecordCells, index: number): void {
    const bytes = cells.source(index);
    const to = cells.ends[index] ?? 0;
    let at = cells.starts[index] ?? 0;
    const words = this.#reserve((to - at + 3) >> 1);
    const lengthAt = this.#used;
    let units = 0;
    const push = (unit: number): void => {
      const word = lengthAt + 1 + (units >> 1);
      words[word] = (units & 1) === 0 ? unit : (words[word] ?? 0) | (unit << 16);
      units += 1;
    };
    while (at < to) {
      const lead = bytes[at] ?? 0;
      const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      let code = length === 1 ? lead : lead & (0xff >> (length + 1));
      for (let next = 1; next < length; next += 1)
        code = (code << 6) | ((bytes[at + next] ?? 0) & 0x3f);
      at += length;
      if (code > 0xffff) {
        push(0xd800 + ((code - 0x10000) >> 10));
        push(0xdc00 + (code & 0x3ff));
      } else push(code);
    }
    words[lengthAt] = units;
    this.#used = lengthAt + 1 + ((units + 1) >> 1);
  }

  #reserve(words: number): Int32Array {
    if (this.#used + words > this.#words.length) {
      const larger = new Int32Array(Math.max(this.#words.length * 2, this.#used + words));
      larger.set(this.#words);
      this.#words = larger;
    }
    return this.#words;
  }
}
