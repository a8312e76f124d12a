/**
 * By what the rows of a dataset come into a month's folder: by the event of their file, or by a column of their own.
 */
import { Result, Schema } from "effect";
import type { ColumnPlan } from "../parquet/ColumnPlan.ts";
import type { Dataset } from "./Dataset.ts";

/** The option of a dataset. */
export type PartitionBy = "event" | { readonly column: string };

/** The rows cannot be told by that column. Permanent: the declaration must be changed. */
export class PartitionUnsupported extends Schema.TaggedError<PartitionUnsupported>()(
  "PartitionUnsupported",
  { table: Schema.String, column: Schema.String, found: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the table ${this.table} cannot be partitioned by ${JSON.stringify(this.column)}: ${this.found}. Name a column of the schema, or of a step, that is a date or a timestamp`;
  }
}

/** The column that tells the rows' months; nothing where the event does. */
export const monthColumn = (
  dataset: Pick<Dataset, "partitionBy"> | undefined,
): string | undefined =>
  dataset?.partitionBy === undefined || dataset.partitionBy === "event"
    ? undefined
    : dataset.partitionBy.column;

/** Checks it against the columns of the output whose types are declared, before any file comes. */
export const checkPartitionBy = (
  dataset: Dataset | undefined,
  columns: ReadonlyArray<ColumnPlan>,
): Result.Result<void, PartitionUnsupported> => {
  const column = monthColumn(dataset);
  if (dataset === undefined || column === undefined) return Result.void;
  const kind = columns.find(({ name }) => name === column)?.kind;
  if (kind === "date" || kind === "timestamp") return Result.void;
  const found = kind === undefined ? "nothing declares it" : `it is ${kind}`;
  return Result.fail(new PartitionUnsupported({ table: dataset.table, column, found }));
};
