/**
 * A 96-bit hash of a record's cells, made of its text as it stands: no cell is cut out, and DuckDB is not asked.
 *
 * Two records have the same cells when their shortest texts are the same: quotes only around cells that need them. Nearly all
 * records stand in that form; of the others it is made first. The lanes are those of RowHash, over UTF-8 in words of four bytes,
 * so the hashes are not the stream engine's.
 */
import { type CsvQuote, quoteByte } from "../csv/Quote.ts";
import { putHash } from "../csv/RowHash.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** Hashes records of one file. */
export class RecordHasher {
  readonly #delimiter: number;
  readonly #quote: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #short: Uint8Array = new Uint8Array(4_096);
  #shortView: DataView = new DataView(this.#short.buffer);

  constructor(delimiter: string, quote: CsvQuote) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quoteByte(quote);
  }

  /** Takes the bytes that records lie in. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Puts the hash of a record's text, without its line end, into `out` at `place`. `isShort`: it has no quote that it does not need. */
  hash(from: number, to: number, isShort: boolean, out: Uint32Array, place: number): void {
    if (isShort) hashBytes(this.#view, from, to, out, place);
    else hashBytes(this.#shortView, 0, this.#shorten(from, to), out, place);
  }

  /** Makes the shortest text of a record, and gives its length. */
  #shorten(from: number, to: number): number {
    this.#reserve(to - from);
    const [bytes, short] = [this.#bytes, this.#short];
    let used = 0;
    for (let at = from; at < to;) {
      if (bytes[at] === this.#quote) {
        const close = this.#closing(at, to);
        const isNeeded = this.#needsQuotes(at + 1, close);
        for (let next = isNeeded ? at : at + 1; next < close; next += 1)
          short[used++] = bytes[next] ?? 0;
        if (isNeeded) short[used++] = this.#quote;
        at = close + 1;
      }
      while (at < to && bytes[at] !== this.#delimiter) short[used++] = bytes[at++] ?? 0;
      if (at < to) short[used++] = bytes[at++] ?? 0;
    }
    return used;
  }

  #reserve(length: number): void {
    if (length <= this.#short.length) return;
    this.#short = new Uint8Array(length * 2);
    this.#shortView = new DataView(this.#short.buffer);
  }

  /** Index of the quote that closes the cell which the one at `open` opens. */
  #closing(open: number, to: number): number {
    const bytes = this.#bytes;
    let at = open + 1;
    for (; at < to; at += 1)
      if (bytes[at] === this.#quote) {
        if (bytes[at + 1] !== this.#quote || at + 1 >= to) return at;
        at += 1;
      }
    return at;
  }

  #needsQuotes(from: number, to: number): boolean {
    const bytes = this.#bytes;
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at];
      if (byte === this.#delimiter || byte === this.#quote) return true;
      if (byte === lineFeed || byte === carriageReturn) return true;
    }
    return false;
  }
}

/** The text's length and its words. Each lane step is a bijection of the state, so one differing word always shows. */
const hashBytes = (
  view: DataView,
  from: number,
  to: number,
  out: Uint32Array,
  place: number,
): void => {
  let one = 0x9747b28c ^ (to - from);
  let two = 0x1b873593 ^ (to - from);
  let three = 0x2545f491 ^ (to - from);
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const word = view.getInt32(at, true);
    one = Math.imul(one ^ word, 0x85ebca6b);
    one ^= one >>> 15;
    two = Math.imul(two ^ word, 0x9e3779b1);
    two ^= two >>> 13;
    three = Math.imul(three ^ word, 0xcc9e2d51);
    three ^= three >>> 16;
  }
  let last = 0;
  for (; at < to; at += 1) last = (last << 8) | view.getUint8(at);
  one = Math.imul(one ^ last, 0x85ebca6b);
  two = Math.imul(two ^ last, 0x9e3779b1);
  three = Math.imul(three ^ last, 0xcc9e2d51);
  putHash(one, two, three, out, place);
};
