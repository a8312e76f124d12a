/**
 * Field schemas for declared columns: plain Effect Schema, with a note of the Parquet type where the type alone does not
 * say it.
 *
 *   export const Sale = Schema.Struct({
 *     order_id: Column.int64,
 *     amount: Column.decimal(12, 2),
 *     sold_on: Column.date,
 *     status: Schema.Literals(["open", "paid"]),
 *     note: Schema.NullOr(Column.text),
 *   })
 */
import { Schema } from "effect";

/** Key of the annotation that names a column's type. */
export const columnAnnotation = "@millrace/column";

/** What the annotation holds. */
export const ColumnNote = Schema.Union([
  Schema.Struct({ kind: Schema.Literals(["int64", "date", "json"]) }),
  Schema.Struct({
    kind: Schema.Literal("decimal"),
    precision: Schema.Int,
    scale: Schema.Int,
  }),
]);
export type ColumnNote = typeof ColumnNote.Type;

const noted = (note: ColumnNote) => ({ [columnAnnotation]: note });

/** Any text. */
export const text = Schema.String;
/** `true` or `false`, in any case. */
export const boolean = Schema.Boolean;
/** A whole number of 32 bits. */
export const int32 = Schema.Int.check(Schema.isInt32());
/** A whole number of 64 bits, exact at both ends: a bigint. */
export const int64 = Schema.BigInt.annotate(noted({ kind: "int64" }));
/** A finite floating-point number of 64 bits. */
export const double = Schema.Finite;
/** An exact decimal of `precision` digits, `scale` of them behind the point. */
export const decimal = (precision: number, scale: number) =>
  Schema.BigDecimal.annotate(noted({ kind: "decimal", precision, scale }));
/** A calendar date without a time, in years 0001 to 9999. */
export const date = Schema.DateTimeUtc.annotate(noted({ kind: "date" }));
/** A point in time, UTC, in whole milliseconds. */
export const timestamp = Schema.DateTimeUtc;
/** A JSON value, kept as its text. */
export const json = Schema.Unknown.annotate(noted({ kind: "json" }));
