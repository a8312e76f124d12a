/**
 * How one CSV file is to be read: what the caller must say, and what may be said against the defaults.
 */
import { Schema } from "effect";
import type { CsvDelimiter } from "./Delimiter.ts";
import type { CsvEncoding } from "./Encoding.ts";
import {
  inflatedBytesMax,
  inflateRatioMax,
  rejectedRowsKept,
  rejectedRowsTolerated,
  rejectedShareMax,
  rowGroupRowsMax,
} from "./Limits.ts";
import type { CsvQuote } from "./Quote.ts";
import type { ParquetCodec } from "../parquet/ParquetCodec.ts";
import type { RejectsFormat } from "./RejectsFile.ts";
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import type { UndeclaredColumns } from "../schema/matchColumns.ts";
import type { InputFormat } from "../input/InputFormat.ts";
import type { OpenStep } from "../steps/StepRunner.ts";
import type { SlashDates } from "./Timestamp.ts";

/** Among which rows duplicates are looked for. */
export const Duplicates = Schema.Literals(["none", "part", "file"]);
export type Duplicates = typeof Duplicates.Type;

/** The options of `csvToParquet`. */
export interface CsvOptions {
  /** The object's name in failures, e.g. bucket, key and version. */
  readonly source: string;
  /** The value of `_source_file`. */
  readonly sourceFile: string;
  /** The value of `_processed_at`: the execution's recorded start, never the clock, so that a second run gives the same bytes. */
  readonly processedAtEpochMs: number;
  /** @default judged by the content */
  readonly format?: InputFormat | undefined;
  /** @default sniffed from the header line */
  readonly delimiter?: CsvDelimiter | undefined;
  /** What is around cells that hold a delimiter. @default the double quote */
  readonly quote?: CsvQuote | undefined;
  /** @default detected: byte-order mark, else UTF-8, else windows-1252 */
  readonly encoding?: CsvEncoding | undefined;
  /** @default refuse: `01/02/2023` is null */
  readonly slashDates?: SlashDates | undefined;
  /** Output names of the date columns. @default every name that holds `fecha` or `date` */
  readonly dateColumns?: ReadonlyArray<string> | undefined;
  /** The columns of a declared schema (see `columnPlan`). @default none: the rules of D1.6, everything else is text */
  readonly columns?: ReadonlyArray<DeclaredColumn> | undefined;
  /** What is done with each row that is left, in order (see `openSteps`). @default nothing */
  readonly rowSteps?: ReadonlyArray<OpenStep> | undefined;
  /** What becomes of columns that the declared schema does not know. @default refuse: the file is invalid */
  readonly undeclaredColumns?: UndeclaredColumns | undefined;
  /**
   * Which exact duplicates are dropped: of any earlier row of the file, of an earlier row of the same part, or none.
   * @default file
   */
  readonly duplicates?: Duplicates | undefined;
  /** Rows per output file. @default all in one */
  readonly partRowsMax?: number | undefined;
  /** @default 25,000 */
  readonly rowGroupRowsMax?: number | undefined;
  /** Share of rejected rows from which a file counts as invalid. @default 0.1 */
  readonly rejectedShareMax?: number | undefined;
  /** Rejected rows that never condemn a file by their share. @default 100 */
  readonly rejectedRowsTolerated?: number | undefined;
  /** Rejected rows beyond which a file counts as invalid, whatever their share. @default no such limit */
  readonly rejectedRowsMax?: number | undefined;
  /** Rejected rows that are written out; the others are only counted. @default 100,000 */
  readonly rejectedRowsKept?: number | undefined;
  /** Bytes that a compressed file may hold. @default 10 GiB */
  readonly inflatedBytesMax?: number | undefined;
  /** Bytes that a compressed file may hold per byte of its own, beyond the first 64 MiB. @default 250 */
  readonly inflateRatioMax?: number | undefined;
  /** Whether the hashes of rows are kept for whoever goes on after a crash. @default false */
  readonly keepHashes?: boolean | undefined;
  /** How Parquet files are compressed. @default snappy */
  readonly codec?: ParquetCodec | undefined;
  /** @default ndjson */
  readonly rejectsFormat?: RejectsFormat | undefined;
}

/** The options with every default filled in. */
export const withDefaults = (options: CsvOptions) => ({
  ...options,
  quote: options.quote ?? ('"' as const),
  slashDates: options.slashDates ?? ("refuse" as const),
  rowSteps: options.rowSteps ?? [],
  undeclaredColumns: options.undeclaredColumns ?? ("refuse" as const),
  duplicates: options.duplicates ?? ("file" as const),
  partRowsMax: options.partRowsMax ?? Number.POSITIVE_INFINITY,
  rowGroupRowsMax: options.rowGroupRowsMax ?? rowGroupRowsMax,
  rejectedShareMax: options.rejectedShareMax ?? rejectedShareMax,
  rejectedRowsTolerated: options.rejectedRowsTolerated ?? rejectedRowsTolerated,
  rejectedRowsMax: options.rejectedRowsMax ?? Number.POSITIVE_INFINITY,
  rejectedRowsKept: options.rejectedRowsKept ?? rejectedRowsKept,
  inflatedBytesMax: options.inflatedBytesMax ?? inflatedBytesMax,
  inflateRatioMax: options.inflateRatioMax ?? inflateRatioMax,
  keepHashes: options.keepHashes ?? false,
  codec: options.codec ?? ("snappy" as const),
  rejectsFormat: options.rejectsFormat ?? ("ndjson" as const),
});

/** Complete options. */
export type CompleteCsvOptions = ReturnType<typeof withDefaults>;
