/**
 * Writes row groups: each column by the library as a whole, or, where a pass has collected the different values, from those.
 * The library's rules decide in both, so what is in the file is the same.
 */
import type { ParquetWriter } from "hyparquet-writer";
import { writeColumn } from "hyparquet-writer/src/column.js";
import { unconvert } from "hyparquet-writer/src/unconvert.js";
import { type Bounds, textBounds, valueBounds } from "./bounds.ts";
import { type Chunk, CodedColumnWriter, type HyparquetColumn } from "./CodedColumnWriter.ts";
import type { CodedColumn, ColumnValues, GroupColumn } from "./ColumnPlan.ts";
import { bytesOfRows, type PackedTexts, packTexts, textBytes, textPerRow } from "./PackedTexts.ts";
import { rowValues } from "./rowValues.ts";

/** The library's own: it cuts a page of more bytes. */
const pageBytesMax = 1024 * 1024;

/** The library's INT64 takes BigInt only; nulls stay. Equal neighbours, as in a constant column, share one. */
const toInt64 = (values: ReadonlyArray<number | null>): Array<bigint | null> => {
  let previous: number | null = null;
  let converted: bigint | null = null;
  return values.map((value) => {
    if (value !== previous) converted = value === null ? null : BigInt(value);
    previous = value;
    return converted;
  });
};

/** Values as the library takes them. It encodes text by text at four times the cost of bytes. */
const toData = (column: ColumnValues) => {
  switch (column.kind) {
    case "timestamp":
      return toInt64(column.values);
    case "json":
    case "text":
      return column.values.map((value) => (value === null ? null : Buffer.from(value, "utf8")));
    default:
      return column.values;
  }
};

/** The library's rule: a dictionary and its indexes have to be half of the plain values at most. */
const isWorthwhile = (sizes: {
  readonly values: number;
  readonly rows: number;
  readonly dictionaryBytes: number;
  readonly plainBytes: number;
}): boolean => {
  const indexBytes = Math.ceil((sizes.rows * Math.ceil(Math.log2(sizes.values))) / 8);
  return sizes.values > 0 && 2 * (sizes.dictionaryBytes + indexBytes) <= sizes.plainBytes;
};

/** Bytes of a value in a page. */
const valueBytes = ({ element: { type, type_length } }: HyparquetColumn): number =>
  type === "FIXED_LEN_BYTE_ARRAY" ? (type_length ?? 0) : type === "INT32" ? 4 : 8;

/** A column as the library does it: a value for each row. */
const writeRows = (writer: ParquetWriter, column: HyparquetColumn, data: Array<unknown>): Chunk => {
  const isRequired = column.element.repetition_type === "REQUIRED";
  const written = writeColumn({
    writer: writer.writer,
    column,
    pageData: {
      values: data,
      definitionLevels: isRequired ? [] : data.map((value) => (value === null ? 0 : 1)),
      repetitionLevels: [],
      maxDefinitionLevel: isRequired ? 0 : 1,
    },
  });
  writer.pendingIndexes.push(written);
  return written.chunk;
};

const writeTexts = (writer: ParquetWriter, column: HyparquetColumn, packed: PackedTexts): Chunk => {
  const coded = new CodedColumnWriter(writer.writer, column, packed.codes);
  const plainBytes = bytesOfRows(packed);
  const values = packed.ends.length;
  const dictionaryBytes = packed.bytes.length;
  const { rows } = coded;
  if (isWorthwhile({ values, rows, dictionaryBytes, plainBytes })) {
    coded.texts(packed);
    coded.indexes(values);
  } else if (plainBytes > pageBytesMax) {
    // The library keeps the least and the greatest one for the footer: they are views of a copy, as the block is used again.
    const kept = { ends: packed.ends, bytes: Buffer.from(packed.bytes) };
    const texts = Array.from(kept.ends, (_, code) => textBytes(kept, code));
    const data = Array.from(packed.codes, (code) => (code < 0 ? null : texts[code]));
    return writeRows(writer, column, data);
  } else coded.page("PLAIN", values === rows ? packed.bytes : textPerRow(packed).bytes);
  return coded.chunk(textBounds(packed));
};

const boundsOf = (data: ReadonlyArray<unknown>): Bounds<number | bigint> =>
  valueBounds(data.filter((value) => typeof value === "number" || typeof value === "bigint"));

const writeCoded = (
  writer: ParquetWriter,
  column: HyparquetColumn,
  { codes, values }: CodedColumn,
): Chunk => {
  if (values.kind === "text" || values.kind === "json")
    return writeTexts(
      writer,
      column,
      packTexts(
        values.values.map((value) => value ?? ""),
        codes,
      ),
    );
  const data = toData(values);
  const bytes = valueBytes(column);
  const coded = new CodedColumnWriter(writer.writer, column, codes);
  const sizes = {
    values: data.length,
    rows: coded.rows,
    dictionaryBytes: data.length * bytes,
    plainBytes: coded.rows * bytes,
  };
  if (!isWorthwhile(sizes))
    return writeRows(writer, column, toData(rowValues({ kind: "coded", codes, values })));
  coded.values(unconvert(column.element, data));
  coded.indexes(data.length);
  return coded.chunk(boundsOf(data));
};

const writeOne = (writer: ParquetWriter, column: HyparquetColumn, values: GroupColumn): Chunk => {
  if (values.kind === "packed") return writeTexts(writer, column, values);
  if (values.kind !== "coded") return writeRows(writer, column, toData(values));
  return writeCoded(writer, column, values);
};

/** Columns as the library must know them. */
export const hyparquetColumns = (
  [root, ...elements]: HyparquetColumn["schemaPath"],
  compression: Pick<HyparquetColumn, "codec" | "compressors">,
): ReadonlyArray<HyparquetColumn> =>
  elements.map((element) => ({
    ...compression,
    columnName: element.name,
    element,
    schemaPath: root === undefined ? [element] : [root, element],
    stats: true,
    pageSize: pageBytesMax,
    columnIndex: false,
    offsetIndex: true,
  }));

/** Writes a row group's columns, which stand in the schema's order. */
export const writeGroup = (
  writer: ParquetWriter,
  schema: ReadonlyArray<HyparquetColumn>,
  columns: ReadonlyArray<GroupColumn>,
  rows: number,
): void => {
  const start = writer.writer.offset;
  const chunks = schema.map((column, index) => {
    const values = columns[index];
    if (values === undefined) throw new RangeError(`column ${column.columnName} has no values`);
    return writeOne(writer, column, values);
  });
  const sizes = chunks.map(({ meta_data }) => meta_data?.total_uncompressed_size ?? 0n);
  writer.num_rows += BigInt(rows);
  writer.row_groups.push({
    columns: chunks,
    total_byte_size: sizes.reduce((sum, bytes) => sum + bytes, 0n),
    num_rows: BigInt(rows),
    total_compressed_size: BigInt(writer.writer.offset - start),
  });
};
