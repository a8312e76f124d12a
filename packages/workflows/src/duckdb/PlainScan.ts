/**
 * Finds records of the plain form in a window of CSV text, by the searches that strings have natively: a tenth of the cost of
 * looking at each byte. What is not plain is left to RecordSplitter.
 *
 * Plain is a record that ends with LF or CR LF, has no NUL, no other CR outside of quotes, and quotes only around whole cells. How
 * many cells it has is not looked at, as DuckDB refuses rows of another width; but it takes a row whose cells beyond the last
 * column are empty, so the cells of a row that ends with an empty one are counted.
 */
import { type CsvQuote, quoteByte } from "../csv/Quote.ts";
import { recordBytesMax } from "../csv/Limits.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** Scans the windows of one file. */
export class PlainScan {
  /** Index behind the record's line end. */
  end = 0;
  /** Index of its line end. */
  textEnd = 0;
  /** Line ends within it, its own included. */
  lines = 0;
  /** Whether it has quotes only where they are needed. */
  isShort = true;
  /** Whether all of its cells are empty. */
  isBlank = false;
  /** The window's bytes, one character each. */
  #text = "";
  #window: Uint8Array = new Uint8Array(0);
  readonly #width: number;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #delimiterText: string;
  readonly #quoteText: string;
  /** The next places of each; beyond the text when there is none. */
  #quoteAt = 0;
  #returnAt = 0;
  #nulAt = 0;
  /** Whether the cell in quotes looked at last has a quote within. */
  #isDoubled = false;

  constructor(delimiter: string, quote: CsvQuote, width: number) {
    this.#width = width;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#delimiterText = delimiter;
    this.#quote = quoteByte(quote);
    this.#quoteText = quote === "none" ? "" : quote;
  }

  /** Takes a window. */
  open(window: Uint8Array): void {
    this.#window = window;
    this.#text = Buffer.from(window.buffer, window.byteOffset, window.length).toString("latin1");
    this.#returnAt = this.#find("\r", 0);
    this.#nulAt = this.#find("\0", 0);
    this.#quoteAt = this.#findQuote(0);
  }

  /** Whether a plain record begins at `from`, and has ended within the window. */
  isPlain(from: number): boolean {
    const text = this.#text;
    let newLine = text.indexOf("\n", from);
    if (newLine < 0) return false;
    if (this.#quoteAt < from) this.#quoteAt = this.#findQuote(from);
    if (this.#returnAt < from) this.#returnAt = this.#find("\r", from);
    const [quoteAt, returnAt] = [this.#quoteAt, this.#returnAt];
    this.lines = 1;
    this.isShort = true;
    while (newLine >= 0 && this.#quoteAt < newLine) newLine = this.#passCell(from, newLine);
    if (newLine >= 0 && this.#ends(from, newLine)) return true;
    // A broken record ends with its line, before some of what has been passed.
    this.#quoteAt = quoteAt;
    this.#returnAt = returnAt;
    return false;
  }

  /** Passes the next cell in quotes, and gives the line feed behind it; -1 when it is not plain, or has not ended. */
  #passCell(from: number, lineFeedAt: number): number {
    const text = this.#text;
    const open = this.#quoteAt;
    const close = this.#closing(from);
    if (close < 0) return -1;
    let newLine = lineFeedAt;
    let isNeeded = this.#isDoubled;
    while (newLine >= 0 && newLine < close) {
      this.lines += 1;
      isNeeded = true;
      newLine = text.indexOf("\n", newLine + 1);
    }
    if (newLine < 0) return -1;
    if (this.#returnAt < open) return -1;
    for (; this.#returnAt < close; this.#returnAt = this.#find("\r", this.#returnAt + 1)) {
      isNeeded = true;
      // A CR before LF is counted with it.
      if (text.charCodeAt(this.#returnAt + 1) !== lineFeed) this.lines += 1;
    }
    if (!isNeeded) {
      const delimiter = text.indexOf(this.#delimiterText, open + 1);
      if (delimiter < 0 || delimiter > close) this.isShort = false;
    }
    const next = text.charCodeAt(close + 1);
    const isEnd = close + 1 === newLine || (close + 2 === newLine && next === carriageReturn);
    if (next !== this.#delimiter && !isEnd) return -1;
    this.#quoteAt = this.#findQuote(close + 1);
    return newLine;
  }

  /** Whether the record that ends with this line feed is plain but for its quotes. */
  #ends(from: number, newLine: number): boolean {
    if (this.#nulAt < from) this.#nulAt = this.#find("\0", from);
    this.textEnd = this.#returnAt === newLine - 1 ? newLine - 1 : newLine;
    this.end = newLine + 1;
    this.isBlank = this.#hasNoCell(from);
    return (
      this.textEnd > from &&
      this.#returnAt >= this.textEnd &&
      this.#nulAt > newLine &&
      this.end - from <= recordBytesMax &&
      (this.isBlank || this.#endsFilled(from))
    );
  }

  /** Whether all of more than one cells are empty, with or without quotes. The first one tells for nearly all records. */
  #hasNoCell(from: number): boolean {
    const [delimiter, quote, window] = [this.#delimiter, this.#quote, this.#window];
    if (window[from] !== delimiter && window[from + 2] !== delimiter) return false;
    for (let at = from; at <= this.textEnd; at += 1) {
      if (window[at] === quote && window[at + 1] === quote) at += 2;
      if (at < this.textEnd && window[at] !== delimiter) return false;
    }
    return true;
  }

  /** Whether the last cell is not empty, or else is the last column's. */
  #endsFilled(from: number): boolean {
    const [end, window] = [this.textEnd, this.#window];
    const isEmpty =
      window[end - 1] === this.#delimiter ||
      (window[end - 1] === this.#quote &&
        window[end - 2] === this.#quote &&
        window[end - 3] === this.#delimiter);
    return !isEmpty || this.#cells(from) === this.#width;
  }

  /** Cells of a record whose quotes are plain. */
  #cells(from: number): number {
    const window = this.#window;
    let cells = 1;
    for (let at = from; at < this.textEnd; at += 1) {
      if (window[at] === this.#delimiter) cells += 1;
      if (window[at] !== this.#quote) continue;
      for (at += 1; window[at] !== this.#quote || window[at + 1] === this.#quote; at += 1)
        if (window[at] === this.#quote) at += 1;
    }
    return cells;
  }

  /** Index of the quote that closes the cell which the next one opens; -1 when there is none, or it opens no cell. */
  #closing(from: number): number {
    const text = this.#text;
    const open = this.#quoteAt;
    if (open !== from && text.charCodeAt(open - 1) !== this.#delimiter) return -1;
    let close = text.indexOf(this.#quoteText, open + 1);
    this.#isDoubled = false;
    while (close >= 0 && text.charCodeAt(close + 1) === this.#quote) {
      this.#isDoubled = true;
      close = text.indexOf(this.#quoteText, close + 2);
    }
    return close;
  }

  #findQuote(from: number): number {
    return this.#quoteText === "" ? Number.POSITIVE_INFINITY : this.#find(this.#quoteText, from);
  }

  #find(what: string, from: number): number {
    const at = this.#text.indexOf(what, from);
    return at < 0 ? Number.POSITIVE_INFINITY : at;
  }
}
