/**
 * Records from a file's UTF-8 bytes, with line numbers and raw text for those that are rejected.
 *
 * A quote in the middle of a cell that is not quoted is text (`5" pipe`), as all common readers take it. Text behind a
 * closing quote breaks the record: the physical line on which it begins is rejected and parsing starts afresh on the
 * next one. A parser that goes on inside the record would swallow good rows up to some later quote.
 * A quote that is never closed cannot be recovered from, as everything behind it is in doubt: it ends the file.
 */
import { type CsvFailure, CsvQuoteUnclosed, CsvRecordTooLong } from "./CsvFailure.ts";
import { recordBytesMax } from "./Limits.ts";
import { type Fault, makeReject, type Reject } from "./Reject.ts";
import { type CsvQuote, quoteByte } from "./Quote.ts";
import type { RecordCells } from "./RecordCells.ts";
import { RecordScanner } from "./RecordScanner.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** Room for the beginning of a record that the next bytes end. */
const blockSpareBytes = 16 * 1024;

/** What a visitor says of a record: nothing, that a part ends with it, why it is rejected, or why the file is. */
export type Verdict = undefined | "ends-part" | Fault | { readonly failure: CsvFailure };

/** Where a record ends, in bytes of UTF-8 text, and the line on which the next one begins. */
export interface RecordEnd {
  readonly textOffset: number;
  readonly line: number;
}

/** Where a file begins. */
export const fileStart: RecordEnd = { textOffset: 0, line: 1 };

/** Looks at each record in turn, and is told of each row that is rejected. */
export interface RecordVisitor {
  readonly record: (cells: RecordCells) => Verdict;
  readonly rejected: (reject: Reject) => CsvFailure | undefined;
  /** A part ends here. */
  readonly partEnds: (at: RecordEnd) => void;
}

/** Why a line is rejected that no reader can be sure of. */
export const strayQuote: Fault = {
  reason: "stray-quote",
  detail: "text stands behind a closing quote",
};

/** Index behind the line end that follows `from`; -1 when it has not come yet. */
const endOfLine = (bytes: Uint8Array, from: number): number => {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === lineFeed) return at + 1;
    if (bytes[at] !== carriageReturn) continue;
    if (at + 1 === bytes.length) return -1;
    return bytes[at + 1] === lineFeed ? at + 2 : at + 1;
  }
  return -1;
};

/** Reads one file. Give it all bytes through `push`, then call `end`; a failure is final. */
export class RecordReader {
  readonly #source: string;
  readonly #quoteByte: number;
  readonly #visitor: RecordVisitor;
  readonly #scanner: RecordScanner;
  /** The bytes behind the last complete record, up to the last byte given: a part of the block. */
  #window: Uint8Array = new Uint8Array(0);
  /** Used again for the next bytes: nothing that is kept of a record is a view of it. */
  #block: Uint8Array = new Uint8Array(0);
  /** Offset of the window in the file's text. */
  #windowStart: number;
  /** Line number of the record that is read. */
  #line: number;
  /** Set when the window begins with a broken line whose end has not come. */
  #atBrokenLine = false;
  #ending = false;

  /** With `from` it goes on where a record has ended: the first byte given is the one behind it. */
  constructor(
    source: string,
    { delimiter, quote }: { readonly delimiter: string; readonly quote: CsvQuote },
    visitor: RecordVisitor,
    from: RecordEnd = fileStart,
  ) {
    this.#source = source;
    this.#quoteByte = quoteByte(quote);
    this.#visitor = visitor;
    this.#scanner = new RecordScanner(delimiter, quote);
    this.#line = from.line;
    this.#windowStart = from.textOffset;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): CsvFailure | undefined {
    if (bytes.length === 0) return undefined;
    this.#append(bytes);
    return (
      this.#readWindow() ?? (this.#window.length > recordBytesMax ? this.#endless() : undefined)
    );
  }

  /** The file ends here. */
  end(): CsvFailure | undefined {
    this.#ending = true;
    const failure = this.#readWindow();
    if (failure !== undefined) return failure;
    return this.#window.length > 0 ? this.#unclosed() : undefined;
  }

  /** Moves what is left to the block's beginning, and puts the next bytes behind it. */
  #append(bytes: Uint8Array): void {
    const rest = this.#window;
    const length = rest.length + bytes.length;
    if (length > this.#block.length) {
      const larger = new Uint8Array(length + blockSpareBytes);
      larger.set(rest);
      this.#block = larger;
    } else this.#block.set(rest);
    this.#block.set(bytes, rest.length);
    this.#window = this.#block.subarray(0, length);
  }

  /** Reads all records that have ended, and keeps what is left. */
  #readWindow(): CsvFailure | undefined {
    const window = this.#window;
    this.#scanner.load(window);
    let at = 0;
    let failure: CsvFailure | undefined;
    while (failure === undefined && at < window.length) {
      const outcome = this.#atBrokenLine ? "broken" : this.#scanner.read(at, this.#ending);
      if (outcome === "incomplete") break;
      const end = outcome === "record" ? this.#scanner.end : this.#endOfLine(at);
      this.#atBrokenLine = end === -1;
      if (end === -1) break;
      failure = outcome === "record" ? this.#visit(at, end) : this.#reject(strayQuote, at, end);
      this.#line += outcome === "record" ? this.#scanner.lines : 1;
      at = end;
    }
    this.#window = window.subarray(at);
    this.#windowStart += at;
    return failure;
  }

  /** Index behind the line that begins at `from`; -1 when its end has not come. */
  #endOfLine(from: number): number {
    const end = endOfLine(this.#window, from);
    return end === -1 && this.#ending ? this.#window.length : end;
  }

  #visit(start: number, end: number): CsvFailure | undefined {
    if (end - start > recordBytesMax) return this.#tooLong();
    const verdict = this.#visitor.record(this.#scanner.cells);
    if (verdict === undefined) return undefined;
    if (verdict !== "ends-part")
      return "failure" in verdict ? verdict.failure : this.#reject(verdict, start, end);
    this.#visitor.partEnds({
      textOffset: this.#windowStart + end,
      line: this.#line + this.#scanner.lines,
    });
    return undefined;
  }

  #reject(fault: Fault, start: number, end: number) {
    return this.#visitor.rejected(makeReject(this.#line, fault, this.#window.subarray(start, end)));
  }

  /** A record that does not end. Mostly an open quote is the reason. */
  #endless(): CsvFailure {
    const quotes = this.#window
      .subarray(0, recordBytesMax + 1)
      .reduce((sum, byte) => sum + (byte === this.#quoteByte ? 1 : 0), 0);
    return quotes % 2 === 1 ? this.#unclosed() : this.#tooLong();
  }

  #unclosed(): CsvQuoteUnclosed {
    return new CsvQuoteUnclosed({ source: this.#source, line: this.#line });
  }

  #tooLong(): CsvRecordTooLong {
    return new CsvRecordTooLong({
      source: this.#source,
      line: this.#line,
      bytesMax: recordBytesMax,
    });
  }
}
