/**
 * Where in a file a pass stands when a part has ended, and what it has come to: all that another pass needs to go on
 * there, beside the file itself and the hashes of the rows before.
 *
 * The columns are not in it: they are read from the file's beginning again.
 */
import { Schema } from "effect";
import { DateColumn, StepFigures } from "./CsvReport.ts";

/** Figures are of everything before the position. */
export const PassPosition = Schema.Struct({
  /** Bytes of UTF-8 text, without a byte-order mark; behind the end of a record. */
  textOffset: Schema.Int,
  /** The same place in the file's own bytes; nothing where the text is converted or inflated, and has to be read again. */
  byteOffset: Schema.optionalKey(Schema.Int),
  /** From 1. */
  line: Schema.Int,
  /** Whether the encoding is settled. */
  decided: Schema.Boolean,
  rowsIn: Schema.Int,
  rowsOut: Schema.Int,
  rowsRejected: Schema.Int,
  duplicates: Schema.Int,
  blankRows: Schema.Int,
  emptyLines: Schema.Int,
  dateColumns: Schema.Array(DateColumn),
  /** Of the pipeline's steps, if it has any. */
  steps: Schema.optionalKey(Schema.Array(StepFigures)),
  /** Keys of JSON records that were left out. */
  ignored: Schema.Array(Schema.String),
  firstReject: Schema.String,
  /** What the DuckDB engine has hashed of the rows before: their text. Parts of its first version have another hash, and nothing here. */
  rowHash: Schema.optionalKey(Schema.Literal("text")),
});
export type PassPosition = typeof PassPosition.Type;

/** Before the first byte. */
export const fileStart: PassPosition = {
  textOffset: 0,
  line: 1,
  decided: false,
  rowsIn: 0,
  rowsOut: 0,
  rowsRejected: 0,
  duplicates: 0,
  blankRows: 0,
  emptyLines: 0,
  dateColumns: [],
  ignored: [],
  firstReject: "",
};
