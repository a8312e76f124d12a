/**
 * The columns of an output, in order: the one form between a transform and an encoder.
 *
 * A transform produces values column by column as the plan says; an encoder needs nothing else to write them. New kinds
 * (integers, decimals, ...) are added here and in each encoder's table of physical types.
 *
 * Shape:  a `text` value is a string; a `timestamp` value is whole milliseconds since the Unix epoch, UTC
 */
import { Schema } from "effect";

/** What a column holds. */
export const ColumnKind = Schema.Literals(["text", "timestamp"]);
export type ColumnKind = typeof ColumnKind.Type;

/** One column of an output. A column that is not nullable never holds null. */
export const ColumnPlan = Schema.Struct({
  name: Schema.String,
  kind: ColumnKind,
  nullable: Schema.Boolean,
});
export type ColumnPlan = typeof ColumnPlan.Type;

/** The values of one column in a row group; which arm it is follows from the plan's `kind`. */
export type ColumnValues =
  | { readonly kind: "text"; readonly values: Array<string | null> }
  | { readonly kind: "timestamp"; readonly values: Array<number | null> };
