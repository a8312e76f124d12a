/**
 * The step that pipelines need most: columns of a reference table, by a key that the row and the table have in common.
 *
 *   joinReference({
 *     name: "country-name",
 *     on: { row: "country", table: "code" },
 *     key: Column.text,
 *     reference: { key: "reference/countries.csv" },
 *     adds: { country_name: Column.text },
 *   })
 */
import { Result, Schema } from "effect";
import type { RowSchema } from "../schema/columnPlan.ts";
import type { CellValue } from "../schema/readCell.ts";
import type { Reference, Values } from "./Reference.ts";
import type { RowStep } from "./RowStep.ts";

export interface JoinOptions {
  readonly name: string;
  /** The column of the row, and the one of the table, that are compared. */
  readonly on: { readonly row: string; readonly table: string };
  /** What both hold. */
  readonly key: Schema.Struct.Fields[string];
  readonly reference: Omit<Reference, "rows">;
  /** The table's columns that the row gets, under the same names. */
  readonly adds: Schema.Struct.Fields;
  /** What becomes of a row whose key the table has not: empty cells, or it is rejected. @default empty */
  readonly unmatched?: "empty" | "reject";
}

/** Numbers and bigints of the same column are of one type, so this tells all keys apart. */
const keyOf = (value: CellValue): string => String(value);

/** The step. Of a key that the table has twice, the first row counts. */
export const joinReference = ({
  adds,
  key,
  name,
  on,
  reference,
  unmatched = "empty",
}: JoinOptions): RowStep => {
  const added = Object.entries(adds);
  const output: RowSchema = Schema.Struct(
    Object.fromEntries(
      added.map(([column, field]) => [
        column,
        unmatched === "reject" ? field : Schema.NullOr(field),
      ]),
    ),
  );
  return {
    name,
    stage: "enrich",
    input: Schema.Struct({ [on.row]: Schema.NullOr(key) }),
    output,
    reference: { ...reference, rows: Schema.Struct({ [on.table]: key, ...adds }) },
    prepare: (_columns, table) => {
      const rows = new Map<string, Values>();
      for (const [value = null, ...columns] of table)
        if (value !== null && !rows.has(keyOf(value))) rows.set(keyOf(value), columns);
      const nothing = Result.succeed(added.map(() => null));
      return ([value = null]) => {
        const found = value === null ? undefined : rows.get(keyOf(value));
        if (found !== undefined) return Result.succeed(found);
        return unmatched === "reject"
          ? Result.fail(`the reference table has no such ${on.table}`)
          : nothing;
      };
    },
  };
};
