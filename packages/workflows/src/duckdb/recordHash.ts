/**
 * A 96-bit hash of a CSV record's cells, from its bytes: records that differ only in needless quotes have the same one.
 *
 * Three lanes as in RowHash, over words of four bytes. The hashes of the two have nothing to do with each other.
 */
import type { RowHash } from "../csv/RowHash.ts";

const finish = (lane: number): number => {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** Hashes bytes into `out`. */
export const hashBytes = (bytes: Uint8Array, from: number, to: number, out: RowHash): void => {
  // The length tells apart what the last, padded word cannot.
  let word = to - from;
  let one = 0x9747b28c | 0;
  let two = 0x1b873593 | 0;
  let three = 0x2545f491 | 0;
  for (let at = from; ; at += 4) {
    one = Math.imul(one ^ word, 0x85ebca6b);
    one ^= one >>> 15;
    two = Math.imul(two ^ word, 0x9e3779b1);
    two ^= two >>> 13;
    three = Math.imul(three ^ word, 0xcc9e2d51);
    three ^= three >>> 16;
    if (at >= to) break;
    word = bytes[at] ?? 0;
    if (at + 1 < to) word |= (bytes[at + 1] ?? 0) << 8;
    if (at + 2 < to) word |= (bytes[at + 2] ?? 0) << 16;
    if (at + 3 < to) word |= (bytes[at + 3] ?? 0) << 24;
  }
  out[0] = finish(one);
  out[1] = finish(two);
  out[2] = finish(three) || 1;
};

const lineFeed = 10;
const carriageReturn = 13;

/** Writes records in one form: no cell in quotes that does not need them. */
export class PlainForm {
  bytes = new Uint8Array(4_096);
  length = 0;
  readonly #delimiter: number;
  readonly #quote: number;

  constructor(delimiter: number, quote: number) {
    this.#delimiter = delimiter;
    this.#quote = quote;
  }

  /** Whether a record has a cell in quotes that does not need them: seldom, so most need no other form. */
  isOther(record: Uint8Array, from: number, ends: Int32Array, cells: number): boolean {
    let start = from;
    for (let cell = 0; cell < cells; cell += 1) {
      const end = ends[cell] ?? start;
      if (record[start] === this.#quote && this.#isNeedless(record, start, end)) return true;
      start = end + 1;
    }
    return false;
  }

  /** Writes a whole record, without its line end, whose cells end where `ends` says. */
  write(record: Uint8Array, from: number, ends: Int32Array, cells: number): void {
    this.length = 0;
    let start = from;
    for (let cell = 0; cell < cells; cell += 1) {
      const end = ends[cell] ?? start;
      const bare = this.#isNeedless(record, start, end);
      if (cell > 0) this.#append(Uint8Array.of(this.#delimiter));
      this.#append(record.subarray(bare ? start + 1 : start, bare ? end - 1 : end));
      start = end + 1;
    }
  }

  #isNeedless(record: Uint8Array, start: number, end: number): boolean {
    if (end - start < 2 || record[start] !== this.#quote) return false;
    for (let at = start + 1; at < end - 1; at += 1) {
      const byte = record[at];
      if (
        byte === this.#quote ||
        byte === this.#delimiter ||
        byte === lineFeed ||
        byte === carriageReturn
      )
        return false;
    }
    return true;
  }

  #append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(needed * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(bytes, this.length);
    this.length = needed;
  }
}
