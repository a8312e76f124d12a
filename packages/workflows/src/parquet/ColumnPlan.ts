/**
 * The columns of an output, in order: the one form between a transform and an encoder.
 *
 * A transform produces values column by column as the plan says; an encoder needs nothing else to write them. A new kind
 * is added here, to the reader of its text (schema/readCell) and to each encoder's table of physical types.
 *
 * Shape:  `text` a string; `json` the text of a JSON value; `boolean`; `int32` and `double` a number; `int64` a bigint;
 *         `decimal` the unscaled bigint (12.50 with scale 2 is 1250n); `date` whole days since 1970-01-01;
 *         `timestamp` whole milliseconds since the Unix epoch, UTC
 */
import { Schema } from "effect";
import type { PackedTexts } from "./PackedTexts.ts";

/** What a column holds. */
export const ColumnKind = Schema.Literals([
  "text",
  "timestamp",
  "boolean",
  "int32",
  "int64",
  "double",
  "decimal",
  "date",
  "json",
]);
export type ColumnKind = typeof ColumnKind.Type;

/** Digits of a decimal: more fit into no reader's type. Source: Parquet logical types, DECIMAL; DuckDB and Athena stop at 38. */
export const decimalPrecisionMax = 38;

const columnFields = { name: Schema.String, nullable: Schema.Boolean };

/** One column of an output. A column that is not nullable never holds null. */
export const ColumnPlan = Schema.Union([
  Schema.Struct({
    ...columnFields,
    kind: Schema.Literals([
      "text",
      "timestamp",
      "boolean",
      "int32",
      "int64",
      "double",
      "date",
      "json",
    ]),
  }),
  Schema.Struct({
    ...columnFields,
    kind: Schema.Literal("decimal"),
    /** Digits in all. */
    precision: Schema.Int,
    /** Digits behind the point. */
    scale: Schema.Int,
  }),
]);
export type ColumnPlan = typeof ColumnPlan.Type;

/** The values of one column in a row group; which arm it is follows from the plan's `kind`. */
export type ColumnValues =
  | { readonly kind: "text" | "json"; readonly values: Array<string | null> }
  | {
      readonly kind: "timestamp" | "date" | "int32" | "double";
      readonly values: Array<number | null>;
    }
  | { readonly kind: "int64" | "decimal"; readonly values: Array<bigint | null> }
  | { readonly kind: "boolean"; readonly values: Array<boolean | null> };

/** Different values, none of them null, and the number of each row's value; -1 for null. */
export interface CodedColumn {
  readonly kind: "coded";
  readonly values: ColumnValues;
  readonly codes: Int32Array;
  /** To be called when they are written: the array of codes is used again. */
  readonly release?: () => void;
}

/** One column of a row group: row by row, or each different value once. `packed` is text or JSON. */
export type GroupColumn = ColumnValues | CodedColumn | PackedTexts;
