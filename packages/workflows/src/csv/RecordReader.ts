/**
 * Records from a file's UTF-8 bytes, with line numbers and raw text for those that are rejected.
 *
 * A quote in the middle of a cell that is not quoted is text (`5" pipe`), as all common readers take it. Text behind a
 * closing quote breaks the record: the physical line on which it begins is rejected and parsing starts afresh on the
 * next one. A parser that goes on inside the record would swallow good rows up to some later quote.
 * A quote that is never closed cannot be recovered from, as everything behind it is in doubt: it ends the file.
 */
import { type CsvFailure, CsvQuoteUnclosed, CsvRecordTooLong } from "./CsvFailure.ts";
import { chunkBytesMax, recordBytesMax } from "./Limits.ts";
import { type Fault, makeReject, type Reject } from "./Reject.ts";
import { type CsvQuote, quoteByte } from "./Quote.ts";
import { RecordParser } from "./RecordParser.ts";

const lineFeed = 10;
const carriageReturn = 13;

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
  readonly record: (cells: ReadonlyArray<string>) => Verdict;
  readonly rejected: (reject: Reject) => CsvFailure | undefined;
  /** A part ends here. */
  readonly partEnds: (at: RecordEnd) => void;
}

const strayQuote: Fault = {
  reason: "stray-quote",
  detail: "text stands behind a closing quote",
};

/** What a fresh parser is given at first: if its first records are broken too, little work is lost. Doubles from there. */
const restartBytes = 1024;

/** The parser leaves the quote on a cell that has text behind its closing quote. So does `"""a"`, rightly. */
const mayBeBroken = (cells: ReadonlyArray<string>, quote: number): boolean =>
  cells.some((cell) => cell.charCodeAt(0) === quote);

/** Index behind the quoted cell that begins at `from`; the closing quote is the first that is not doubled. */
const endOfQuoted = (bytes: Uint8Array, from: number, quote: number): number => {
  let at = from + 1;
  while (at < bytes.length) {
    if (bytes[at] !== quote) at += 1;
    else if (bytes[at + 1] === quote) at += 2;
    else return at + 1;
  }
  return at;
};

/** Whether a record has a quoted cell with text behind its closing quote. */
const hasTextBehindQuote = (bytes: Uint8Array, delimiter: number, quote: number): boolean => {
  const endsCell = (byte: number | undefined) =>
    byte === undefined || byte === delimiter || byte === lineFeed || byte === carriageReturn;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === quote) {
      at = endOfQuoted(bytes, at, quote);
      if (!endsCell(bytes[at])) return true;
      continue;
    }
    while (!endsCell(bytes[at])) at += 1;
  }
  return false;
};

/** More line ends than the parser looks ahead: they push the last record out. */
const flush = Buffer.alloc(16, lineFeed);

const countLines = (bytes: Uint8Array, from: number, to: number): number => {
  let lines = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte === lineFeed || (byte === carriageReturn && bytes[at + 1] !== lineFeed)) lines += 1;
  }
  return lines;
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
  readonly #delimiter: string;
  readonly #quote: CsvQuote;
  readonly #quoteByte: number;
  readonly #visitor: RecordVisitor;
  #parser: RecordParser;
  /** Offset in the file of the first byte that the present parser was given. */
  #parserStart = 0;
  /** The bytes behind the last complete record, up to the last byte given. */
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  /** Line number at `#lineAt`. */
  #line = 1;
  #lineAt = 0;
  #size = 0;
  /** How far the present parser has been given the file. */
  #fedTo = 0;
  #step = chunkBytesMax;
  /** Set when the window begins with a broken line that has not been rejected yet. */
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
    this.#delimiter = delimiter;
    this.#quote = quote;
    this.#quoteByte = quoteByte(quote);
    this.#visitor = visitor;
    this.#line = from.line;
    this.#parserStart = from.textOffset;
    this.#windowStart = from.textOffset;
    this.#lineAt = from.textOffset;
    this.#size = from.textOffset;
    this.#fedTo = from.textOffset;
    this.#parser = new RecordParser(delimiter, quote);
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): CsvFailure | undefined {
    if (bytes.length === 0) return undefined;
    this.#size += bytes.length;
    return this.#read(bytes);
  }

  /** The file ends here. */
  end(): CsvFailure | undefined {
    this.#ending = true;
    const failure = this.#read(flush);
    if (failure !== undefined) return failure;
    return this.#windowStart < this.#size ? this.#unclosed() : undefined;
  }

  #read(bytes: Uint8Array): CsvFailure | undefined {
    this.#window = this.#window.length === 0 ? bytes : Buffer.concat([this.#window, bytes]);
    for (;;) {
      if (this.#atBrokenLine) {
        const tooMany = this.#rejectLine();
        if (tooMany !== undefined) return tooMany;
        if (this.#atBrokenLine) break;
      }
      if (!this.#feed()) break;
      const failure = this.#visitRecords() ?? this.#parserFailure();
      if (failure !== undefined) return failure;
    }
    this.#countLinesTo(this.#windowStart);
    return this.#atBrokenLine && this.#window.length > recordBytesMax ? this.#tooLong() : undefined;
  }

  /** Gives the parser the next bytes of the window; false when it has all. */
  #feed(): boolean {
    const from = this.#fedTo - this.#windowStart;
    if (from >= this.#window.length) return false;
    const piece = this.#window.subarray(from, from + this.#step);
    this.#fedTo += piece.length;
    this.#step = Math.min(this.#step * 2, chunkBytesMax);
    this.#parser.write(piece);
    return true;
  }

  #visitRecords(): CsvFailure | undefined {
    const { records, ends } = this.#parser;
    this.#parser.records = [];
    this.#parser.ends = [];
    let start = this.#windowStart;
    for (const [index, cells] of records.entries()) {
      const end = this.#parserStart + (ends[index] ?? 0);
      // What begins behind the file's end comes from `flush`.
      if (this.#ending && start >= this.#size) break;
      this.#atBrokenLine = mayBeBroken(cells, this.#quoteByte) && this.#isBroken(start, end);
      // What the parser made of the bytes behind a broken record is worthless.
      if (this.#atBrokenLine) break;
      const verdict = this.#visitor.record(cells);
      const failure = verdict === undefined ? undefined : this.#judge(verdict, start, end);
      if (failure !== undefined) return failure;
      start = end;
    }
    this.#countLinesTo(start);
    this.#dropTo(start);
    return undefined;
  }

  #isBroken(start: number, end: number): boolean {
    const bytes = this.#window.subarray(start - this.#windowStart, end - this.#windowStart);
    return hasTextBehindQuote(bytes, this.#delimiter.charCodeAt(0), this.#quoteByte);
  }

  #judge(verdict: Exclude<Verdict, undefined>, start: number, end: number): CsvFailure | undefined {
    if (verdict === "ends-part") {
      const textOffset = Math.min(end, this.#size);
      this.#countLinesTo(textOffset);
      this.#visitor.partEnds({ textOffset, line: this.#line });
      return undefined;
    }
    if ("failure" in verdict) return verdict.failure;
    this.#countLinesTo(start);
    return this.#reject(verdict, start, end);
  }

  #reject(fault: Fault, start: number, end: number) {
    const bytes = this.#window.subarray(
      start - this.#windowStart,
      Math.min(end, this.#size) - this.#windowStart,
    );
    return this.#visitor.rejected(makeReject(this.#line, fault, bytes));
  }

  #countLinesTo(offset: number): void {
    this.#line += countLines(
      this.#window,
      this.#lineAt - this.#windowStart,
      offset - this.#windowStart,
    );
    this.#lineAt = offset;
  }

  #dropTo(offset: number): void {
    this.#window = this.#window.subarray(offset - this.#windowStart);
    this.#windowStart = offset;
  }

  /** The parser gives up on one thing only: a record that is too long. Mostly an open quote is the reason. */
  #parserFailure(): CsvFailure | undefined {
    if (this.#atBrokenLine || this.#parser.failure === null) return undefined;
    const quotes = this.#window
      .subarray(0, recordBytesMax + 1)
      .reduce((sum, byte) => sum + (byte === this.#quoteByte ? 1 : 0), 0);
    return quotes % 2 === 1 ? this.#unclosed() : this.#tooLong();
  }

  /** Rejects the line at the window's start and parses on behind it, once its end has come. */
  #rejectLine(): CsvFailure | undefined {
    const length = endOfLine(this.#window, 0);
    if (length === -1) return undefined;
    this.#atBrokenLine = false;
    const end = this.#windowStart + length;
    const failure = this.#reject(strayQuote, this.#windowStart, end);
    this.#countLinesTo(end);
    this.#dropTo(end);
    this.#parser = new RecordParser(this.#delimiter, this.#quote);
    this.#parserStart = end;
    this.#fedTo = end;
    this.#step = restartBytes;
    return failure;
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
