/**
 * Collects the values of one column of a row group: from text as it is, from dates where the header's name says so, or by
 * the rule of a declared column.
 */
import type { ColumnPlan, ColumnValues, GroupColumn } from "../parquet/ColumnPlan.ts";
import type { CellValue } from "../schema/readCell.ts";
import type { RecordCells } from "./RecordCells.ts";

/** A cell's text; null is what JSON has as null or not at all. */
export type Cell = string | null;

/** One column of the groups of a file. */
export interface ColumnBuilder {
  readonly plan: ColumnPlan;
  /** Adds the value of one of a record's cells. */
  readonly add: (cells: RecordCells, index: number) => void;
  /** The values so far, until they are released; the next group begins empty. */
  readonly take: () => GroupColumn;
}

const only = <A extends CellValue>(
  values: ReadonlyArray<CellValue | null>,
  is: (value: CellValue) => value is A,
): Array<A | null> =>
  values.map((value) => {
    if (value === null || is(value)) return value;
    throw new TypeError(`a column holds a ${typeof value}`);
  });

const isText = (value: CellValue): value is string => typeof value === "string";
const isNumber = (value: CellValue): value is number => typeof value === "number";
const isBigInt = (value: CellValue): value is bigint => typeof value === "bigint";
const isBoolean = (value: CellValue): value is boolean => typeof value === "boolean";

/** The values of a column of that kind. */
export const columnValues = (
  kind: ColumnPlan["kind"],
  values: ReadonlyArray<CellValue | null>,
): ColumnValues => {
  switch (kind) {
    case "text":
    case "json":
      return { kind, values: only(values, isText) };
    case "int32":
    case "double":
    case "date":
    case "timestamp":
      return { kind, values: only(values, isNumber) };
    case "int64":
    case "decimal":
      return { kind, values: only(values, isBigInt) };
    case "boolean":
      return { kind, values: only(values, isBoolean) };
  }
};
