/**
 * Writes one column of a row group whose rows are numbers of its different values, with the parts of hyparquet-writer.
 *
 * The library's own way takes a value for each row: it finds the different ones again, compares all of them for the
 * statistics and copies them several times. Here that is known already.
 */
import type { ParquetWriter } from "hyparquet-writer";
import type { writeColumn } from "hyparquet-writer/src/column.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { writeDictionaryPage } from "hyparquet-writer/src/dictionary.js";
import { writeRleBitPackedHybrid } from "hyparquet-writer/src/encoding.js";
import type { Bounds } from "./bounds.ts";
import type { PackedTexts } from "./PackedTexts.ts";
import { makeScratchWriter, scratchBytes, scratchNumbers } from "./scratch.ts";

/** What the library must know of a column. */
export type HyparquetColumn = Parameters<typeof writeColumn>[0]["column"];

/** What a footer says of a column in a row group. */
export type Chunk = ReturnType<typeof writeColumn>["chunk"];

type MetaData = NonNullable<Chunk["meta_data"]>;
type PageStats = NonNullable<MetaData["encoding_stats"]>[number];
type Statistics = NonNullable<MetaData["statistics"]>;
type Encoding = "PLAIN" | "RLE_DICTIONARY";

/** What the footer says of a column's pages. */
const pagesOf = (
  encoding: Encoding,
  before: ReadonlyArray<PageStats>,
): Pick<MetaData, "encodings" | "encoding_stats"> => ({
  encodings: before.length === 0 ? [encoding] : ["PLAIN", encoding],
  encoding_stats: [...before, { page_type: "DATA_PAGE_V2", encoding, count: 1 }],
});

/** Shared, as a file of 10,000 columns holds it until its end for each of them and each group. */
const plainPages = pagesOf("PLAIN", []);
const dictionaryPages = pagesOf("RLE_DICTIONARY", [
  { page_type: "DICTIONARY_PAGE", encoding: "PLAIN", count: 1 },
]);

/** The codes of rows that are not null. */
const present = (codes: Int32Array): Int32Array => {
  let nulls = 0;
  for (let row = 0; row < codes.length; row += 1) if ((codes[row] ?? -1) < 0) nulls += 1;
  if (nulls === 0) return codes;
  const kept = scratchNumbers(codes.length - nulls);
  let count = 0;
  for (let row = 0; row < codes.length; row += 1) {
    const code = codes[row] ?? -1;
    if (code < 0) continue;
    kept[count] = code;
    count += 1;
  }
  return kept.subarray(0, count);
};

/** A definition level for each row. Loops here are plain: `from` and `map` with a function take ten times as long. */
const levelsOf = (codes: Int32Array): Uint8Array => {
  const levels = scratchBytes(codes.length);
  for (let row = 0; row < codes.length; row += 1) levels[row] = (codes[row] ?? -1) < 0 ? 0 : 1;
  return levels.subarray(0, codes.length);
};

const emptyPage = makeScratchWriter();
const emptyLevels = makeScratchWriter();

/** One column of a group that is being written. */
export class CodedColumnWriter {
  readonly #column: HyparquetColumn;
  readonly #writer: ParquetWriter["writer"];
  readonly #codes: Int32Array;
  readonly #present: Int32Array;
  readonly #start: number;
  #uncompressedBytes = 0;
  #dictionaryAt: number | undefined;
  #pageAt = 0;

  constructor(writer: ParquetWriter["writer"], column: HyparquetColumn, codes: Int32Array) {
    this.#writer = writer;
    this.#column = column;
    this.#codes = codes;
    this.#present = present(codes);
    this.#start = writer.offset;
    if (column.element.repetition_type === "REQUIRED" && this.#present.length < codes.length)
      throw new TypeError("null in a column that is not nullable");
  }

  /** Rows that are not null. */
  get rows(): number {
    return this.#present.length;
  }

  /** A dictionary of texts. */
  texts({ bytes, ends }: PackedTexts): void {
    const compressed = this.#compress(bytes);
    this.#dictionaryAt = this.#writer.offset;
    writePageHeader(this.#writer, {
      type: "DICTIONARY_PAGE",
      uncompressed_page_size: bytes.length,
      compressed_page_size: compressed.length,
      dictionary_page_header: { num_values: ends.length, encoding: "PLAIN" },
    });
    const headerBytes = this.#writer.offset - this.#dictionaryAt;
    this.#writer.appendBytes(compressed);
    this.#uncompressedBytes += headerBytes + bytes.length;
  }

  /** A dictionary of other values. */
  values(values: Parameters<typeof writeDictionaryPage>[2]): void {
    this.#dictionaryAt = this.#writer.offset;
    this.#uncompressedBytes += writeDictionaryPage(this.#writer, this.#column, values);
  }

  /** The rows as numbers of a dictionary's values. */
  indexes(count: number): void {
    const page = emptyPage();
    const bitWidth = Math.ceil(Math.log2(count));
    page.appendUint8(bitWidth);
    writeRleBitPackedHybrid(page, this.#present, bitWidth);
    this.page("RLE_DICTIONARY", page.getBytes());
  }

  /** The one page of the rows. */
  page(encoding: Encoding, bytes: Uint8Array): void {
    const levels = emptyLevels();
    if (this.#column.element.repetition_type !== "REQUIRED")
      writeRleBitPackedHybrid(levels, levelsOf(this.#codes), 1);
    const compressed = this.#compress(bytes);
    const start = this.#writer.offset;
    this.#pageAt = start;
    writePageHeader(this.#writer, {
      type: "DATA_PAGE_V2",
      uncompressed_page_size: levels.offset + bytes.length,
      compressed_page_size: levels.offset + compressed.length,
      data_page_header_v2: {
        num_values: this.#codes.length,
        num_nulls: this.#codes.length - this.#present.length,
        num_rows: this.#codes.length,
        encoding,
        definition_levels_byte_length: levels.offset,
        repetition_levels_byte_length: 0,
        is_compressed: true,
      },
    });
    this.#uncompressedBytes += this.#writer.offset - start + levels.offset + bytes.length;
    this.#writer.appendBytes(levels.getBytes());
    this.#writer.appendBytes(compressed);
  }

  /** What the footer says of the column. */
  chunk(bounds: Bounds<Uint8Array | number | bigint>): Chunk {
    const { codec, element, schemaPath } = this.#column;
    const { type = "BYTE_ARRAY" } = element;
    const hasDictionary = this.#dictionaryAt !== undefined;
    return {
      meta_data: {
        type,
        ...(hasDictionary ? dictionaryPages : plainPages),
        path_in_schema: schemaPath.slice(1).map(({ name }) => name),
        codec,
        num_values: BigInt(this.#codes.length),
        total_compressed_size: BigInt(this.#writer.offset - this.#start),
        total_uncompressed_size: BigInt(this.#uncompressedBytes),
        data_page_offset: BigInt(this.#pageAt),
        ...(this.#dictionaryAt !== undefined && {
          dictionary_page_offset: BigInt(this.#dictionaryAt),
        }),
        statistics: this.#statistics(bounds),
      },
      file_offset: BigInt(this.#start),
    };
  }

  #statistics({ max_value, min_value }: Bounds<Uint8Array | number | bigint>): Statistics {
    const nulls = this.#codes.length - this.#present.length;
    return {
      ...(min_value !== undefined && { min_value }),
      ...(max_value !== undefined && { max_value }),
      null_count: BigInt(nulls),
      ...(this.#column.element.type === "DOUBLE" && { nan_count: 0n }),
    };
  }

  #compress(bytes: Uint8Array): Uint8Array {
    return this.#column.compressors[this.#column.codec]?.(bytes) ?? bytes;
  }
}
