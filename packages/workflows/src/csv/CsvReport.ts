/**
 * What became of a file's rows: the figures of one pass, as they go into an execution's history.
 *
 * Always: rowsIn = rowsOut + rowsRejected + duplicates + blankRows. Empty lines and the header are no rows.
 */
import { Schema } from "effect";
import { ColumnKind } from "../parquet/ColumnPlan.ts";
import { JsonFormat } from "../input/InputFormat.ts";
import { CsvDelimiter } from "./Delimiter.ts";
import { CsvEncoding, EncodingOrigin } from "./Encoding.ts";
import { RenamedColumn } from "./Header.ts";

/** One output file. */
export const CsvPart = Schema.Struct({
  /** From 1. */
  index: Schema.Int,
  rows: Schema.Int,
  rowGroups: Schema.Int,
  bytes: Schema.Int,
});
export type CsvPart = typeof CsvPart.Type;

/** What a date column's cells came to. */
export const DateColumn = Schema.Struct({
  name: Schema.String,
  parsed: Schema.Int,
  /** Cells that held text which is no date: null in the output. */
  unparsable: Schema.Int,
  /** Cells that were empty. */
  empty: Schema.Int,
});
export type DateColumn = typeof DateColumn.Type;

/** What a step of the pipeline came to. */
export const StepFigures = Schema.Struct({
  name: Schema.String,
  stage: Schema.Literals(["transform", "enrich"]),
  rowsIn: Schema.Int,
  rowsOut: Schema.Int,
  rowsRejected: Schema.Int,
  /** The version of the table that it looked things up in. */
  reference: Schema.optionalKey(Schema.String),
  referenceRows: Schema.optionalKey(Schema.Int),
});
export type StepFigures = typeof StepFigures.Type;

const steps = Schema.optionalKey(Schema.Array(StepFigures));

/** The figures of each stage. */
export const CsvStages = Schema.Struct({
  validate: Schema.Struct({
    rowsIn: Schema.Int,
    rowsOut: Schema.Int,
    rowsRejected: Schema.Int,
    emptyLines: Schema.Int,
  }),
  clean: Schema.Struct({
    rowsIn: Schema.Int,
    rowsOut: Schema.Int,
    blankRows: Schema.Int,
    duplicates: Schema.Int,
  }),
  transform: Schema.Struct({
    rows: Schema.Int,
    dateColumns: Schema.Array(DateColumn),
    nullDates: Schema.Int,
    steps,
  }),
  enrich: Schema.Struct({ rows: Schema.Int, columns: Schema.Array(Schema.String), steps }),
  output: Schema.Struct({
    encoder: Schema.String,
    rows: Schema.Int,
    rowGroups: Schema.Int,
    parts: Schema.Int,
    bytes: Schema.Int,
  }),
});
export type CsvStages = typeof CsvStages.Type;

/** The whole pass. */
export const CsvReport = Schema.Struct({
  rowsIn: Schema.Int,
  rowsOut: Schema.Int,
  rowsRejected: Schema.Int,
  /** Rejected rows that are not in the rejects file because it is full. */
  rejectsLeftOut: Schema.optionalKey(Schema.Int),
  duplicates: Schema.Int,
  blankRows: Schema.Int,
  /** Date cells that held text which is no date. */
  nullDates: Schema.Int,
  /** Bytes of text; those of a compressed file itself are in `compressed`. */
  bytesIn: Schema.Int,
  compressed: Schema.optionalKey(
    Schema.Struct({ compression: Schema.Literal("gzip"), bytes: Schema.Int }),
  ),
  bytesOut: Schema.Int,
  columns: Schema.Array(Schema.Struct({ name: Schema.String, kind: ColumnKind })),
  renamed: Schema.Array(RenamedColumn),
  /** Columns of the file that the declared schema leaves out, when it may. */
  ignored: Schema.optionalKey(Schema.Array(Schema.String)),
  encoding: CsvEncoding,
  encodingOrigin: EncodingOrigin,
  /** What kind of text it is, unless it is CSV. */
  format: Schema.optionalKey(JsonFormat),
  /** Of CSV only. */
  delimiter: Schema.optionalKey(CsvDelimiter),
  /** Of a file in parts: which engine has written it, and why not the one that was asked for. */
  engine: Schema.optionalKey(
    Schema.Struct({
      name: Schema.Literals(["stream", "duckdb"]),
      reason: Schema.optionalKey(Schema.String),
    }),
  ),
  parts: Schema.Array(CsvPart),
  stages: CsvStages,
});
export type CsvReport = typeof CsvReport.Type;
