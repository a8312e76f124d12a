/**
 * The good records of a CSV file as text with plain line ends; broken ones are rejected by the rules of the stream engine, and
 * counted in the pass. Blank rows go here, and duplicates when RowKeeper says so.
 *
 * Records of the plain form are told by a quick scan, which does not count their cells; others are looked at byte by byte.
 */
import { type CsvFailure, CsvQuoteUnclosed } from "../csv/CsvFailure.ts";
import type { CsvPass } from "../csv/CsvPass.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import type { CsvQuote } from "../csv/Quote.ts";
import { type Fault, makeReject } from "../csv/Reject.ts";
import { type RecordEnd, strayQuote } from "../csv/RecordReader.ts";
import { KeptText } from "./KeptText.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";
import { PlainScan } from "./PlainScan.ts";
import { RecordBatch } from "./RecordBatch.ts";
import { RecordHasher } from "./RecordHash.ts";
import { RecordSplitter, type Split } from "./RecordSplitter.ts";
import type { RowKeeper } from "./RowKeeper.ts";

const lineFeed = 10;
const carriageReturn = 13;
const roomBytes = 1024 * 1024;

/** Collects the records of one file. */
export class GoodRecords {
  /** Whether the window may hold further whole records. */
  hasMore = false;
  readonly #pass: CsvPass;
  readonly #source: string;
  readonly #splitter: RecordSplitter;
  readonly #scan: PlainScan | undefined;
  readonly #keeper: RowKeeper;
  readonly #hasher: RecordHasher;
  readonly #batch = new RecordBatch();
  readonly #text = new KeptText();
  #window: Uint8Array = new Uint8Array(0);
  /** One buffer for the whole file: each chunk's own would keep the garbage collector busy. */
  #room: Uint8Array = new Uint8Array(roomBytes);
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
    keeper: RowKeeper,
  ) {
    this.#pass = pass;
    this.#keeper = keeper;
    this.#source = options.source;
    this.#line = from.line;
    this.#offset = from.textOffset;
    this.#headerSeen = from.textOffset > 0;
    const width = pass.groups?.width ?? 0;
    this.#splitter = new RecordSplitter(options.delimiter, options.quote);
    this.#hasher = new RecordHasher(options.delimiter, options.quote);
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

  /** The text kept so far; it is to be used before the next bytes come. */
  take(): Uint8Array {
    return this.#text.take();
  }

  /** Reads records until so many are kept in the part, or the window has none. */
  read(keptMax: number, isLast: boolean): CsvFailure | NotForDuckDb | undefined {
    const window = this.#window;
    let at = 0;
    let failure: CsvFailure | NotForDuckDb | undefined;
    this.hasMore = true;
    this.#openScan();
    while (failure === undefined && at < window.length) {
      if (this.#batch.isFull || this.#keeper.kept + this.#batch.count === keptMax) {
        this.#decide();
        if (this.#keeper.kept === keptMax) break;
      }
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
    this.#decide();
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
    this.#hasher.open(this.#room);
    this.#scanned = 0;
  }

  #isPlain(at: number): boolean {
    return this.#headerSeen && this.#scan !== undefined && this.#scan.isPlain(this.#scanned + at);
  }

  #takePlain(from: number): number {
    const scan = this.#scan;
    if (scan === undefined) return from;
    const end = scan.end - this.#scanned;
    this.#pass.rowsIn += 1;
    this.#line += scan.lines;
    if (scan.isBlank) this.#pass.blankRows += 1;
    else this.#keep(from, scan.textEnd - this.#scanned, end, scan.isShort);
    return end;
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
    this.#keep(from, this.#splitter.textEnd, end, false);
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

  #keep(from: number, textEnd: number, end: number, isShort: boolean): void {
    if (!this.#keeper.isAsked) {
      this.#keeper.kept += 1;
      this.#text.keep(this.#window, from, textEnd, end);
      return;
    }
    const place = this.#batch.add(from, textEnd, end);
    const { hashes } = this.#batch;
    const before = this.#scanned;
    this.#hasher.hash(before + from, before + textEnd, isShort, hashes, place);
  }

  /** Keeps what is kept of the batch. */
  #decide(): void {
    const { count, ends, kept, starts, textEnds } = this.#batch;
    if (count === 0) return;
    this.#keeper.decide(this.#batch);
    for (let index = 0; index < count; index += 1)
      if (kept[index] === 1)
        this.#text.keep(this.#window, starts[index] ?? 0, textEnds[index] ?? 0, ends[index] ?? 0);
    this.#batch.count = 0;
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
