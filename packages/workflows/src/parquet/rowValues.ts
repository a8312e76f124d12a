/**
 * The values of a column, row by row, for whoever does not care how they were collected.
 */
import type { CodedColumn, ColumnValues, GroupColumn } from "./ColumnPlan.ts";
import { textsOf } from "./PackedTexts.ts";

const decoded = <A>(values: ReadonlyArray<A | null>, codes: Int32Array): Array<A | null> =>
  Array.from(codes, (code) => values[code] ?? null);

const decode = ({ codes, values }: CodedColumn): ColumnValues => {
  switch (values.kind) {
    case "text":
    case "json":
      return { kind: values.kind, values: decoded(values.values, codes) };
    case "timestamp":
    case "date":
    case "int32":
    case "double":
      return { kind: values.kind, values: decoded(values.values, codes) };
    case "int64":
    case "decimal":
      return { kind: values.kind, values: decoded(values.values, codes) };
    case "boolean":
      return { kind: values.kind, values: decoded(values.values, codes) };
  }
};

/** A value or null for each row. */
export const rowValues = (column: GroupColumn): ColumnValues =>
  column.kind === "packed"
    ? { kind: "text", values: textsOf(column) }
    : column.kind === "coded"
      ? decode(column)
      : column;
