/**
 * The texts of a column as one block of UTF-8, each with its length before it, as Parquet's PLAIN encoding has them; rows
 * hold the numbers of their texts.
 *
 * It holds no string and no array of them, so a row group of text is a few typed arrays, and its bytes are written as they are.
 */

const lengthBytes = 4;

/** What the texts of one column in a row group are. */
export interface PackedTexts {
  readonly kind: "packed";
  /** The texts, one after another. */
  readonly bytes: Buffer;
  /** Where each text ends; the next one begins there, with its length. */
  readonly ends: Int32Array;
  /** The number of each row's text; -1 for null. */
  readonly codes: Int32Array;
  /** To be called when they are written: the arrays are used again. */
  readonly release?: () => void;
}

/** Where the bytes of a text begin. */
export const textStart = ({ ends }: Pick<PackedTexts, "ends">, code: number): number =>
  (code === 0 ? 0 : (ends[code - 1] ?? 0)) + lengthBytes;

/** A text's bytes; a view. */
export const textBytes = (packed: Pick<PackedTexts, "bytes" | "ends">, code: number): Buffer =>
  packed.bytes.subarray(textStart(packed, code), packed.ends[code]);

/** Bytes of all rows' texts, each with its length. */
export const bytesOfRows = ({ codes, ends }: Pick<PackedTexts, "codes" | "ends">): number => {
  let bytes = 0;
  for (let row = 0; row < codes.length; row += 1) {
    const code = codes[row] ?? -1;
    if (code >= 0) bytes += (ends[code] ?? 0) - (code === 0 ? 0 : (ends[code - 1] ?? 0));
  }
  return bytes;
};

/** The same rows, with a text for each row that is not null, in their order. */
export const textPerRow = (packed: Omit<PackedTexts, "release">): PackedTexts => {
  const bytes = Buffer.allocUnsafe(bytesOfRows(packed));
  const ends = new Int32Array(packed.codes.length);
  const codes = new Int32Array(packed.codes.length);
  let used = 0;
  let count = 0;
  for (let row = 0; row < codes.length; row += 1) {
    const code = packed.codes[row] ?? -1;
    codes[row] = code < 0 ? -1 : count;
    if (code < 0) continue;
    const end = packed.ends[code] ?? 0;
    const start = textStart(packed, code) - lengthBytes;
    packed.bytes.copy(bytes, used, start, end);
    used += end - start;
    ends[count] = used;
    count += 1;
  }
  return { kind: "packed", bytes, ends: ends.subarray(0, count), codes };
};

/** Each row's text. */
export const textsOf = (packed: PackedTexts): Array<string | null> => {
  const texts = Array.from(packed.ends, (_, code) => textBytes(packed, code).toString("utf8"));
  return Array.from(packed.codes, (code) => (code < 0 ? null : (texts[code] ?? null)));
};

/** Different texts and the number of each row's. */
export const packTexts = (texts: ReadonlyArray<string>, codes: Int32Array): PackedTexts => {
  const ends = new Int32Array(texts.length);
  let used = 0;
  const blocks = texts.flatMap((text, index) => {
    const bytes = Buffer.from(text, "utf8");
    const length = Buffer.alloc(lengthBytes);
    length.writeInt32LE(bytes.length);
    used += lengthBytes + bytes.length;
    ends[index] = used;
    return [length, bytes];
  });
  return { kind: "packed", bytes: Buffer.concat(blocks), ends, codes };
};
