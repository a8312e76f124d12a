/**
 * The document that makes the parts of a large file one dataset: written last, and what a reader looks for.
 */
import { Schema } from "effect";
import { Partition } from "../dataset/Dataset.ts";
import { ColumnKind } from "../parquet/ColumnPlan.ts";

export const Manifest = Schema.Struct({
  version: Schema.Literal(1),
  /** The object that the parts were made from, with its version. */
  source: Schema.String,
  processedAtEpochMs: Schema.Int,
  engine: Schema.Literals(["stream", "duckdb"]),
  columns: Schema.Array(Schema.Struct({ name: Schema.String, kind: ColumnKind })),
  /** Rows of all parts. */
  rows: Schema.Int,
  rowsIn: Schema.Int,
  rowsRejected: Schema.Int,
  duplicates: Schema.Int,
  blankRows: Schema.Int,
  bytes: Schema.Int,
  /** In the order of the file's rows; keys in the manifest's own bucket. */
  parts: Schema.Array(
    Schema.Struct({
      key: Schema.String,
      rows: Schema.Int,
      bytes: Schema.Int,
      /** The month that its rows are of, where they are told by a column. */
      partition: Schema.optionalKey(Partition),
    }),
  ),
  /** Files of rejected rows. */
  rejects: Schema.Array(Schema.String),
});
export type Manifest = typeof Manifest.Type;
