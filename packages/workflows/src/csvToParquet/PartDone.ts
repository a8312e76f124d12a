/**
 * What the history holds of a part: what was written, and where the next one begins.
 */
import { Schema } from "effect";
import { CsvPart, CsvReport } from "../csv/CsvReport.ts";
import { Partition } from "../dataset/Dataset.ts";
import { PassPosition } from "../csv/PassPosition.ts";

const Written = Schema.Struct({ key: Schema.String, etag: Schema.String });
/** An object that was written, as it was. */
export type Written = typeof Written.Type;

export const PartDone = Schema.Struct({
  /** Nothing when no row was left. */
  part: Schema.optionalKey(CsvPart),
  parquet: Schema.optionalKey(Written),
  /** Instead of that file, where the rows go to months: one for each that has rows. */
  months: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        partition: Partition,
        parquet: Written,
        rows: Schema.Int,
        bytes: Schema.Int,
      }),
    ),
  ),
  rejects: Schema.optionalKey(Written),
  /** The hashes of its rows; removed when the file has ended. */
  hashes: Schema.optionalKey(Written),
  /** Where the next part begins. */
  next: Schema.optionalKey(PassPosition),
  /** Of all parts, with the last one. */
  report: Schema.optionalKey(CsvReport),
});
export type PartDone = typeof PartDone.Type;

/** A Parquet file of a part. */
interface PartFile {
  readonly written: Written;
  readonly rows: number;
  readonly bytes: number;
  /** Where it is that of a month. */
  readonly partition?: Partition;
}

/** The Parquet files of a part. */
export const filesOf = ({ months = [], parquet, part }: PartDone): ReadonlyArray<PartFile> => [
  ...(parquet === undefined || part === undefined
    ? []
    : [{ written: parquet, rows: part.rows, bytes: part.bytes }]),
  ...months.map(({ bytes, parquet: written, partition, rows }) => ({
    written,
    rows,
    bytes,
    partition,
  })),
];
