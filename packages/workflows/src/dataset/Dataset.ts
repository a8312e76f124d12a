/**
 * A dataset: the outputs of a pipeline as one table, in a folder for each month, registered in a data catalog.
 *
 *     processed/<table>/year=2026/month=11/<day>/<path>/<name>.parquet
 *
 * The month is the event's, or that of a column of each row (`partitionBy`); either way a second run writes the same objects. What is no data there (rejects, manifests, hashes)
 * has a name that begins with `_`, which Athena passes over.
 */
import type { Catalog } from "@millrace/core";
import { type Layer, Result, Schema } from "effect";
import type { PartitionBy } from "./partitionBy.ts";

/** The option of a pipeline. */
export interface Dataset {
  /** Name of the table: lower-case letters, digits and `_`. */
  readonly table: string;
  /** Where it is registered, e.g. `GlueCatalog.layerGlue({ database })`. */
  readonly catalog: Layer.Layer<Catalog>;
  /** What tells a row's month: the event of its file, or a column that is a date or a timestamp. @default "event" */
  readonly partitionBy?: PartitionBy | undefined;
}

/** The keys of a dataset's partitions. */
export const partitionKeys = [
  { name: "year", type: "string" },
  { name: "month", type: "string" },
] as const;

/** A name that no catalog takes. Permanent: the declaration must be changed. */
export class DatasetUnsupported extends Schema.TaggedError<DatasetUnsupported>()(
  "DatasetUnsupported",
  { table: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${JSON.stringify(this.table)} cannot be a dataset's table: take lower-case letters, digits and _, a letter first, at most 100`;
  }
}

/** A column has the name of a partition's key. Permanent: the file, or the declaration, must be changed. */
export class PartitionKeyTaken extends Schema.TaggedError<PartitionKeyTaken>()(
  "PartitionKeyTaken",
  {
    table: Schema.String,
    column: Schema.String,
  },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the table ${this.table} lies in folders by year and month, and cannot have a column ${JSON.stringify(this.column)} as well: give the column another name, in the file or in the schema`;
  }
}

const isKey = ({ name }: { readonly name: string }): boolean =>
  partitionKeys.some((key) => key.name === name.toLowerCase());

/** Checks the names of a table's columns; case does not count, as in every catalog. */
export const checkKeys = (
  dataset: Pick<Dataset, "table"> | undefined,
  columns: ReadonlyArray<{ readonly name: string }>,
): Result.Result<void, PartitionKeyTaken> => {
  const taken = dataset === undefined ? undefined : columns.find(isKey);
  return dataset === undefined || taken === undefined
    ? Result.void
    : Result.fail(new PartitionKeyTaken({ table: dataset.table, column: taken.name }));
};

/** Whether every catalog takes the name of a table. */
export const isTableName = (table: string): boolean => /^[a-z][a-z0-9_]{0,99}$/.test(table);

/** Checks a pipeline's dataset before any file comes. */
export const checkDataset = (
  dataset: Dataset | undefined,
): Result.Result<void, DatasetUnsupported> =>
  dataset === undefined || isTableName(dataset.table)
    ? Result.void
    : Result.fail(new DatasetUnsupported({ table: dataset.table }));

/** The folder of a month: the values of the partition's keys. */
export const Partition = Schema.Struct({ year: Schema.String, month: Schema.String });
export type Partition = typeof Partition.Type;

/** The partition of a month of the calendar. */
export const partitionOf = ({
  month,
  year,
}: {
  readonly year: number;
  readonly month: number;
}): Partition => ({
  year: String(year).padStart(4, "0"),
  month: String(month).padStart(2, "0"),
});

/** The folder of a table. */
export const tableFolder = (root: string, table: string): string => `${root}/${table}/`;

/** The folder of a partition. */
export const partitionFolder = (folder: string, { month, year }: Partition): string =>
  `${folder}year=${year}/month=${month}/`;
