/**
 * A file's text side: in which encoding and format it is, and who reads it.
 */
import type { InputFormat } from "../input/InputFormat.ts";
import type { JsonRows } from "../input/JsonRows.ts";
import type { CsvDelimiter } from "./Delimiter.ts";
import type { RecordReader } from "./RecordReader.ts";
import type { Utf8Stream } from "./Utf8Stream.ts";

/** A file's text side, known once its first bytes have been looked at. */
export interface Opened {
  readonly text: Utf8Stream;
  readonly reader: RecordReader | JsonRows;
  readonly format: InputFormat;
  /** Of CSV only. */
  readonly delimiter: CsvDelimiter | undefined;
}

/** What a report says of a file's text. */
export const textKind = ({ delimiter, format }: Opened) => ({
  ...(format !== "csv" && { format }),
  ...(delimiter !== undefined && { delimiter }),
});
