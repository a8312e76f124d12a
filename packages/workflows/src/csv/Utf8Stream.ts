/**
 * Turns the chunks of a text file into UTF-8 bytes, checked strictly, whatever encoding it is in.
 *
 * UTF-8 passes through unconverted; only sequences cut by a chunk's end are held back. The result does not depend on
 * where chunks begin and end: without a declaration the first non-ASCII sequence of the file decides between UTF-8 and
 * windows-1252, and from then on a byte that does not fit is a failure, never U+FFFD.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { TextDecoder } from "node:util";
import { Result } from "effect";
import { CsvUndecodable } from "./CsvFailure.ts";
import { byteOrderMark, type CsvEncoding, type EncodingOrigin } from "./Encoding.ts";

const empty = new Uint8Array(0);

/** Length of the UTF-8 sequence that a lead byte announces; 0 for a byte that cannot lead one. */
const sequenceLength = (lead: number): number => {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
};

/** How many bytes at the end belong to a sequence that goes on in the next chunk. */
const cutBytes = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
};

/** Index of the first byte that breaks UTF-8, by halving; `bytes` is known to be broken. */
const firstBad = (bytes: Uint8Array): number => {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const part = bytes.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - cutBytes(part)))) good = middle;
    else bad = middle;
  }
  return good;
};

/** The bytes that windows-1252 leaves undefined: a file that has them is in no encoding we know. */
const undefinedIn1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

/** One file's conversion. Feed every chunk to `push` in order, then call `end`. */
export class Utf8Stream {
  /** The encoding found so far; final once `end` has been called. */
  encoding: CsvEncoding;
  origin: EncodingOrigin;
  readonly #source: string;
  readonly #markBytes: number;
  #decoder: TextDecoder | undefined;
  #held = empty;
  #offset = 0;
  #decided: boolean;

  /** `first` is the file's beginning, at least 4 bytes or all of it. */
  constructor(source: string, first: Uint8Array, declared: CsvEncoding | undefined) {
    const mark = byteOrderMark(first);
    const useMark = mark !== undefined && (declared === undefined || declared === mark.encoding);
    this.#source = source;
    this.#markBytes = useMark ? mark.bytes : 0;
    this.encoding = declared ?? mark?.encoding ?? "utf-8";
    this.origin = declared !== undefined ? "declared" : useMark ? "bom" : "content";
    this.#decided = this.origin !== "content";
    this.#openDecoder();
  }

  /** Whether the encoding is settled, or still to be told by the first byte that is not ASCII. */
  get decided(): boolean {
    return this.#decided;
  }

  /** The byte of the file that is behind so many bytes of UTF-8 text; undefined where the text is converted. */
  byteOffset(textOffset: number): number | undefined {
    return this.#decoder === undefined ? this.#markBytes + textOffset : undefined;
  }

  /** Goes on at a byte of the file: the next one given is that. Only where nothing is converted. */
  resume(byteOffset: number, decided: boolean): void {
    this.#offset = byteOffset;
    this.#held = empty;
    this.#decided = decided;
  }

  #openDecoder(): void {
    if (this.encoding === "utf-8") return;
    this.#decoder = new TextDecoder(this.encoding, { fatal: true, ignoreBOM: true });
  }

  /** Takes the file's next bytes, and gives what can be given of them as UTF-8. */
  push(chunk: Uint8Array): Result.Result<Uint8Array, CsvUndecodable> {
    const skipped = this.#offset < this.#markBytes ? this.#markBytes - this.#offset : 0;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    // The mark lies in the first chunk: the constructor has seen it there.
    const body = bytes.subarray(Math.min(skipped, bytes.length));
    const start = this.#offset + (bytes.length - body.length);
    const cut = this.encoding === "utf-8" ? cutBytes(body) : 0;
    this.#held = body.slice(body.length - cut);
    this.#offset = start + body.length - cut;
    return this.#convert(body.subarray(0, body.length - cut), start);
  }

  /** Gives what was held back: the file ends here. */
  end(): Result.Result<Uint8Array, CsvUndecodable> {
    const rest = this.#held;
    const start = this.#offset;
    this.#held = empty;
    return this.#convert(rest, start, true);
  }

  #convert(
    bytes: Uint8Array,
    start: number,
    last = false,
  ): Result.Result<Uint8Array, CsvUndecodable> {
    if (!this.#decided && !isAscii(bytes)) this.#decide(bytes);
    if (this.#decoder !== undefined) return this.#decode(this.#decoder, bytes, start, last);
    return isUtf8(bytes)
      ? Result.succeed(bytes)
      : Result.fail(this.#undecodable(start + firstBad(bytes)));
  }

  /** All bytes before were ASCII, which both candidates share: nothing given so far has to be taken back. */
  #decide(bytes: Uint8Array): void {
    const at = bytes.findIndex((byte) => byte >= 0x80);
    const sequence = bytes.subarray(at, at + Math.max(1, sequenceLength(bytes[at] ?? 0)));
    this.#decided = true;
    if (isUtf8(sequence)) return;
    this.encoding = "windows-1252";
    this.origin = "fallback";
    this.#openDecoder();
  }

  #decode(decoder: TextDecoder, bytes: Uint8Array, start: number, last: boolean) {
    if (this.encoding === "windows-1252") {
      const bad = bytes.findIndex((byte) => undefinedIn1252.has(byte));
      if (bad !== -1) return Result.fail(this.#undecodable(start + bad));
    }
    return Result.try({
      try: () => Buffer.from(decoder.decode(bytes, { stream: !last }), "utf8"),
      catch: () => this.#undecodable(start),
    });
  }

  #undecodable(byteOffset: number): CsvUndecodable {
    return new CsvUndecodable({ source: this.#source, encoding: this.encoding, byteOffset });
  }
}
