/**
 * The good records of a CSV file as text with plain line ends; broken ones are rejected by the rules of the stream engine, and
 * counted in the pass. Blank rows are dropped here or by RowKeeper, which looks at every row.
 *
 * Records of the plain form are told by a quick scan, which does not count their cells; others are looked at byte by byte.
 */
import { type CsvFailure, CsvQuoteUnclosed } from "../csv/CsvFailure.ts";
import type { CsvPass } from "../csv/CsvPass.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import type { CsvQuote } from "../csv/Quote.ts";
import { type Fault, makeReject } from "../csv/Reject.ts";
import { type RecordEnd, strayQuote } from "../csv/RecordReader.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";
import { PlainScan } from "./PlainScan.ts";
import { RecordSplitter, type Split } from "./RecordSplitter.ts";

const lineFeed = 10;
const carriageReturn = 13;
const roomBytes = 1024 * 1024;
const newLine = Uint8Array.of(lineFeed);
const nothing = new Uint8Array(0);

/** Collects the records of one file. */
export class GoodRecords {
  /** Good records since the count was taken. */
  count = 0;
  /** Whether the window may hold further whole records. */
  hasMore = false;
  readonly #pass: CsvPass;
  readonly #source: string;
  readonly #splitter: RecordSplitter;
  readonly #scan: PlainScan | undefined;
  #window: Uint8Array = new Uint8Array(0);
  /** Two buffers for the whole file: each chunk's own would keep the garbage collector busy. */
  #room: Uint8Array = new Uint8Array(roomBytes);
  #kept: Uint8Array = new Uint8Array(roomBytes);
  #keptLength = 0;
  /** The records kept of the window that have not been copied. */
  #runFrom = -1;
  #runTo = -1;
  /** The last run of the records that were read. */
  #tail: Uint8Array = nothing;
  /** The window's place in what the scan was shown; -1 for none of it. */
  #scanned = -1;
  #line: number;
  /** Bytes of text before the window. */
  #offset: number;
  #headerSeen: boolean;

  /** `isCareful`: every record is looked at byte by byte. */
  constructor(
    pass: CsvPass,
    options: {
      readonly source: string;
      readonly delimiter: string;
      readonly quote: CsvQuote;
      readonly isCareful: boolean;
    },
    from: RecordEnd,
  ) {
    this.#pass = pass;
    this.#source = options.source;
    this.#line = from.line;
    this.#offset = from.textOffset;
    this.#headerSeen = from.textOffset > 0;
    const width = pass.groups?.width ?? 0;
    this.#splitter = new RecordSplitter(options.delimiter, options.quote);
    // An empty line and an empty row are told apart by cells alone where there is one column.
    const isQuick = !options.isCareful && width > 1;
    this.#scan = isQuick ? new PlainScan(options.delimiter, options.quote, width) : undefined;
  }

  /** Where the next record begins. */
  get position(): RecordEnd {
    return { textOffset: this.#offset, line: this.#line };
  }

  /** Takes the next bytes of text. */
  push(bytes: Uint8Array): void {
    const left = this.#window;
    const needed = left.length + bytes.length;
    if (needed > this.#room.length) this.#room = new Uint8Array(needed * 2);
    this.#room.set(left, 0);
    this.#room.set(bytes, left.length);
    this.#window = this.#room.subarray(0, needed);
    this.#scanned = -1;
  }

  /** The text collected so far; it is to be used before the next bytes come. */
  take(): Uint8Array {
    const tail = this.#tail;
    this.#tail = nothing;
    if (this.#keptLength === 0) return tail;
    this.#append(tail);
    const taken = this.#kept.subarray(0, this.#keptLength);
    this.#keptLength = 0;
    return taken;
  }

  /** How many good records there are; counting begins anew. */
  takeCount(): number {
    const { count } = this;
    this.count = 0;
    return count;
  }

  /** Reads records until there are so many, or the window has none. */
  read(countMax: number, isLast: boolean): CsvFailure | NotForDuckDb | undefined {
    const window = this.#window;
    let at = 0;
    let failure: CsvFailure | NotForDuckDb | undefined;
    this.hasMore = true;
    this.#openScan();
    while (failure === undefined && at < window.length && this.count < countMax) {
      if (this.#isPlain(at)) {
        at = this.#takePlain(at);
        continue;
      }
      const split = this.#splitter.split(window, at, isLast);
      const end = split === "broken" ? this.#endOfLine(at, isLast) : this.#splitter.end;
      if (split === "incomplete" || end === -1) {
        this.hasMore = false;
        break;
      }
      failure = this.#take(split, at, end);
      this.#line += split === "broken" ? 1 : this.#splitter.lines;
      at = end;
    }
    // Mostly all of it is one run, which needs no copy.
    if (this.#runFrom !== -1) this.#tail = window.subarray(this.#runFrom, this.#runTo);
    this.#runFrom = -1;
    this.#runTo = -1;
    if (at >= window.length) this.hasMore = false;
    this.#window = window.subarray(at);
    this.#offset += at;
    this.#scanned += at;
    return failure ?? (this.hasMore ? undefined : this.#left(isLast));
  }

  /** Shows the window to the scan, once. */
  #openScan(): void {
    if (this.#scanned >= 0) return;
    this.#scan?.open(this.#window);
    this.#scanned = 0;
  }

  #isPlain(at: number): boolean {
    return this.#headerSeen && this.#scan !== undefined && this.#scan.isPlain(this.#scanned + at);
  }

  #takePlain(from: number): number {
    const { end = 0, lines = 0, textEnd = 0 } = this.#scan ?? {};
    this.#pass.rowsIn += 1;
    this.#line += lines;
    this.#keep(from, end - this.#scanned, textEnd - this.#scanned);
    return end - this.#scanned;
  }

  /** What cannot be read of the window any more. */
  #left(isLast: boolean): CsvFailure | NotForDuckDb | undefined {
    const [source, line] = [this.#source, this.#line];
    if (isLast && this.#window.length > 0) return new CsvQuoteUnclosed({ source, line });
    // The stream engine says which of the two reasons it is.
    return this.#window.length > recordBytesMax
      ? new NotForDuckDb({ reason: "it has a record that does not end" })
      : undefined;
  }

  #take(split: Split, from: number, end: number): CsvFailure | NotForDuckDb | undefined {
    const pass = this.#pass;
    if (split === "empty-line") {
      pass.emptyLines += 1;
      return undefined;
    }
    if (!this.#headerSeen) {
      this.#headerSeen = true;
      return undefined;
    }
    if (split === "odd")
      return new NotForDuckDb({ reason: "it has quotes in cells that are not quoted" });
    // The stream engine says why: a quote that is not closed, or the record itself.
    if (end - from > recordBytesMax)
      return new NotForDuckDb({ reason: "it has a record that is too long" });
    if (split === "broken") return this.#reject(strayQuote, from, end);
    pass.rowsIn += 1;
    if (split === "blank") {
      pass.blankRows += 1;
      return undefined;
    }
    const fault = this.#fault(split);
    if (fault !== undefined) return this.#reject(fault, from, end);
    this.#keep(from, end, this.#splitter.textEnd);
    return undefined;
  }

  #fault(split: Split): Fault | undefined {
    const { cells } = this.#splitter;
    const width = this.#pass.groups?.width ?? 0;
    if (cells !== width)
      return {
        reason: cells < width ? "row-too-short" : "row-too-long",
        detail: `${cells} cells, the header has ${width}`,
      };
    return split === "nul"
      ? { reason: "nul-character", detail: "a cell holds the character NUL" }
      : undefined;
  }

  #reject(fault: Fault, from: number, end: number): CsvFailure | undefined {
    return this.#pass.rejected(makeReject(this.#line, fault, this.#window.subarray(from, end)));
  }

  #keep(from: number, end: number, textEnd: number): void {
    this.count += 1;
    if (from !== this.#runTo) this.#endRun();
    if (this.#runFrom === -1) this.#runFrom = from;
    this.#runTo = end;
    if (end === textEnd + 1 && this.#window[textEnd] === lineFeed) return;
    this.#runTo = textEnd;
    this.#endRun();
    this.#append(newLine);
  }

  /** Records that stand beside each other are copied at once. */
  #endRun(): void {
    if (this.#runFrom !== -1) this.#append(this.#window.subarray(this.#runFrom, this.#runTo));
    this.#runFrom = -1;
    this.#runTo = -1;
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#keptLength + bytes.length;
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(needed * 2);
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes, this.#keptLength);
    this.#keptLength = needed;
  }

  /** Index behind the line that begins at `from`; -1 when its end has not come. */
  #endOfLine(from: number, isLast: boolean): number {
    const bytes = this.#window;
    for (let at = from; at < bytes.length; at += 1) {
      if (bytes[at] === lineFeed) return at + 1;
      if (bytes[at] !== carriageReturn) continue;
      if (at + 1 < bytes.length) return bytes[at + 1] === lineFeed ? at + 2 : at + 1;
      if (!isLast) return -1;
    }
    return isLast ? bytes.length : -1;
  }
}
