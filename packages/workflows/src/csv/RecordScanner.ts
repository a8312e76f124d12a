/**
 * The heart of the CSV reader: bytes in, the cells of one record out, in one walk over the bytes.
 *
 * It takes what csv-parse takes with `relax_quotes` and three kinds of line end (the tests compare the two), at a small part
 * of the processor time: cells stay ranges of the bytes, and the same walk hashes them.
 */
import { type CsvQuote, quoteByte } from "./Quote.ts";
import { emptyHash, hashByte, RecordCells } from "./RecordCells.ts";

const lineFeed = 10;
const carriageReturn = 13;

/**
 * `record`: `cells`, `end` and `lines` are set. `incomplete`: more bytes are needed. `broken`: text stands behind a closing
 * quote.
 */
export type ScanOutcome = "record" | "incomplete" | "broken";

const empty: Buffer = Buffer.alloc(0);

/** Why a quoted cell has no end, in place of its index. */
const incompleteCell = -1;
const brokenCell = -2;

/** Scans the records of one file, window by window. */
export class RecordScanner {
  /** The cells of the record read last; the next one takes their place. */
  readonly cells = new RecordCells();
  /** Index behind its line end. */
  end = 0;
  /** Line ends within it, its own included. */
  lines = 0;
  readonly #delimiter: number;
  readonly #quote: number;
  /** Whether a byte ends a cell that is not quoted. */
  readonly #ends = new Uint8Array(256);
  #bytes: Buffer = empty;

  constructor(delimiter: string, quote: CsvQuote) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quoteByte(quote);
    for (const byte of [this.#delimiter, lineFeed, carriageReturn]) this.#ends[byte] = 1;
  }

  /** Sets the bytes that are read from now on: UTF-8. */
  load(bytes: Uint8Array): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.cells.load(this.#bytes);
  }

  /** Reads the record that begins at `from`; with `isLast` the bytes end where the file ends. */
  read(from: number, isLast: boolean): ScanOutcome {
    const bytes = this.#bytes;
    const length = bytes.length;
    this.cells.clear();
    this.lines = 0;
    let at = from;
    for (;;) {
      if (bytes[at] === this.#quote) {
        const behind = this.#readQuoted(at, isLast);
        if (behind < 0) return behind === brokenCell ? "broken" : "incomplete";
        at = behind;
      } else at = this.#readPlain(at);
      if (at >= length) {
        this.end = length;
        return isLast ? "record" : "incomplete";
      }
      const byte = bytes[at];
      if (byte === this.#delimiter) {
        at += 1;
        continue;
      }
      this.lines += 1;
      this.end = at + 1;
      if (byte === lineFeed) return "record";
      // A carriage return, which a line feed may follow.
      if (at + 1 >= length && !isLast) return "incomplete";
      if (bytes[at + 1] === lineFeed) this.end = at + 2;
      return "record";
    }
  }

  /** Takes the cell that begins at `from`, and gives the index of the byte that ends it. */
  #readPlain(from: number): number {
    const bytes = this.#bytes;
    const ends = this.#ends;
    const length = bytes.length;
    let seen = 0;
    let hash = emptyHash;
    let at = from;
    while (at < length) {
      const byte = bytes[at] ?? 0;
      if (ends[byte] === 1) break;
      seen |= byte;
      hash = hashByte(hash, byte);
      at += 1;
    }
    this.cells.add(from, at, hash, seen);
    return at;
  }

  /** The same for a quoted one, whose quote stands at `from`. */
  #readQuoted(from: number, isLast: boolean): number {
    const bytes = this.#bytes;
    const length = bytes.length;
    let seen = 0;
    let hash = emptyHash;
    let doubled = false;
    let at = from + 1;
    for (; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === this.#quote) {
        if (bytes[at + 1] !== this.#quote) break;
        doubled = true;
        at += 1;
      } else if (byte === lineFeed || (byte === carriageReturn && bytes[at + 1] !== lineFeed))
        this.lines += 1;
      seen |= byte;
      hash = hashByte(hash, byte);
    }
    // What follows a quote says whether it closes.
    if (at >= length || (at + 1 >= length && !isLast)) return incompleteCell;
    if (at + 1 < length && this.#ends[bytes[at + 1] ?? 0] !== 1) return brokenCell;
    if (doubled) this.cells.addUnquoted(from + 1, at, this.#quote, seen);
    else this.cells.add(from + 1, at, hash, seen);
    return at + 1;
  }
}
