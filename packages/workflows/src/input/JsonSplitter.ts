/**
 * Cuts the UTF-8 bytes of a JSON file into its records, with line numbers, however the bytes are chunked.
 *
 * NDJSON is cut at line ends, so a broken line costs itself only. An array is cut by counting brackets outside of texts;
 * an element that is broken inside costs itself, an array that does not end costs the file.
 */
import { CsvRecordTooLong, JsonBroken } from "../csv/CsvFailure.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import { fileStart, type RecordEnd } from "../csv/RecordReader.ts";

const [lineFeed, quote, backslash, comma] = [10, 34, 92, 44];
const [openBracket, closeBracket, openBrace, closeBrace] = [91, 93, 123, 125];

const isBlank = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

/** Takes a record's bytes, the line on which it begins (from 1), and where it ends. */
export type RecordSink<F> = (bytes: Uint8Array, line: number, end: RecordEnd) => F | undefined;

/** Why a file cannot be cut any further. */
export type SplitFailure = CsvRecordTooLong | JsonBroken;

type Place = "before" | "between" | "inside" | "behind" | "after";

/** Cuts one file. Give it all bytes through `push`, then call `end`; a failure is final. */
export class JsonSplitter<F> {
  readonly #source: string;
  readonly #isArray: boolean;
  readonly #sink: RecordSink<F>;
  /** The bytes from the present record's beginning on. */
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  /** How much of the window has been looked at. */
  #at = 0;
  #line = 1;
  #recordLine = 1;
  #place: Place;
  #depth = 0;
  #inText = false;
  #escaped = false;

  /** With `from` it goes on where a record has ended. */
  constructor(
    source: string,
    format: "json" | "ndjson",
    sink: RecordSink<F>,
    from: RecordEnd = fileStart,
  ) {
    this.#source = source;
    this.#isArray = format === "json";
    this.#sink = sink;
    this.#windowStart = from.textOffset;
    this.#line = from.line;
    this.#recordLine = from.line;
    if (!this.#isArray) this.#place = "inside";
    else this.#place = from.textOffset === 0 ? "before" : "behind";
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): F | SplitFailure | undefined {
    this.#window = this.#window.length === 0 ? bytes : Buffer.concat([this.#window, bytes]);
    const failure = this.#isArray ? this.#scanArray() : this.#scanLines();
    if (failure !== undefined) return failure;
    // A view would keep the whole chunk alive.
    this.#window = this.#window.slice();
    return this.#window.length > recordBytesMax
      ? new CsvRecordTooLong({
          source: this.#source,
          line: this.#recordLine,
          bytesMax: recordBytesMax,
        })
      : undefined;
  }

  /** The file ends here. */
  end(): F | SplitFailure | undefined {
    if (!this.#isArray)
      return this.#window.length === 0 ? undefined : this.#give(this.#window.length);
    if (this.#place === "after") return undefined;
    return this.#broken(this.#place === "before" ? "it has no array" : "the array does not end");
  }

  #broken(detail: string): JsonBroken {
    return new JsonBroken({ source: this.#source, line: this.#line, detail });
  }

  /** Gives the window's first bytes as a record, and begins the next one behind them. */
  #give(length: number): F | undefined {
    const bytes = this.#window.subarray(0, length);
    const failure = this.#sink(bytes, this.#recordLine, {
      textOffset: this.#windowStart + length,
      // A line of NDJSON is given with its end.
      line: this.#isArray ? this.#line : this.#line + 1,
    });
    this.#drop(length);
    return failure;
  }

  #drop(length: number): void {
    this.#window = this.#window.subarray(length);
    this.#windowStart += length;
    this.#at = 0;
  }

  #scanLines(): F | undefined {
    for (;;) {
      const end = this.#window.indexOf(lineFeed, this.#at);
      if (end === -1) {
        this.#at = this.#window.length;
        return undefined;
      }
      this.#recordLine = this.#line;
      const failure = this.#give(end + 1);
      this.#line += 1;
      this.#recordLine = this.#line;
      if (failure !== undefined) return failure;
    }
  }

  #scanArray(): F | SplitFailure | undefined {
    while (this.#at < this.#window.length) {
      const byte = this.#window[this.#at] ?? 0;
      const failure = this.#place === "inside" ? this.#inside(byte) : this.#outside(byte);
      if (failure !== undefined) return failure;
      if (byte === lineFeed) this.#line += 1;
    }
    if (this.#place !== "inside") this.#drop(this.#at);
    return undefined;
  }

  /** Looks at a byte that is of no element. */
  #outside(byte: number): SplitFailure | undefined {
    if (isBlank(byte)) {
      this.#at += 1;
      return undefined;
    }
    if (this.#place === "after") return this.#broken("something follows the array");
    if (this.#place === "before") {
      if (byte !== openBracket) return this.#broken("it does not begin with an array");
      this.#place = "between";
      this.#at += 1;
      return undefined;
    }
    if (byte === closeBracket) {
      this.#place = "after";
      this.#at += 1;
      return undefined;
    }
    if (this.#place === "behind") {
      if (byte !== comma) return this.#broken("something follows an element");
      this.#place = "between";
      this.#at += 1;
      return undefined;
    }
    this.#drop(this.#at);
    this.#place = "inside";
    this.#recordLine = this.#line;
    return undefined;
  }

  /** Looks at a byte of an element, or at the one that ends it. */
  #inside(byte: number): F | undefined {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === backslash) this.#escaped = true;
      else if (byte === quote) this.#inText = false;
    } else if (byte === quote) this.#inText = true;
    else if (byte === openBrace || byte === openBracket) this.#depth += 1;
    else if (this.#depth > 0 && (byte === closeBrace || byte === closeBracket)) this.#depth -= 1;
    else if (this.#depth === 0 && (byte === comma || byte === closeBracket)) {
      const failure = this.#give(this.#at);
      this.#place = byte === comma ? "between" : "after";
      this.#at += 1;
      return failure;
    }
    this.#at += 1;
    return undefined;
  }
}
