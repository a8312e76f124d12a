/**
 * A dataset: the outputs of a pipeline as one table, in a folder for each month, registered in a data catalog.
 *
 *     processed/<table>/year=2026/month=11/<day>/<path>/<name>.parquet
 *
 * The month is the event's, so that a second run writes the same objects. What is no data there (rejects, manifests, hashes)
 * has a name that begins with `_`, which Athena passes over.
 */
import type { Catalog } from "@millrace/core";
import { type Layer, Result, Schema } from "effect";

/** The option of a pipeline. */
export interface Dataset {
  /** Name of the table: lower-case letters, digits and `_`. */
  readonly table: string;
  /** Where it is registered, e.g. `GlueCatalog.layerGlue({ database })`. */
  readonly catalog: Layer.Layer<Catalog>;
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

/** Whether every catalog takes the name of a table. */
export const isTableName = (table: string): boolean => /^[a-z][a-z0-9_]{0,99}$/.test(table);

/** Checks a pipeline's dataset before any file comes. */
export const checkDataset = (
  dataset: Dataset | undefined,
): Result.Result<void, DatasetUnsupported> =>
  dataset === undefined || isTableName(dataset.table)
    ? Result.void
    : Result.fail(new DatasetUnsupported({ table: dataset.table }));

const padded = (number: number): string => String(number).padStart(2, "0");

/** The folder of a table. */
export const tableFolder = (root: string, table: string): string => `${root}/${table}/`;

/** The folder of a month. */
export const partitionFolder = (
  folder: string,
  { month, year }: { readonly year: number; readonly month: number },
): string => `${folder}year=${String(year).padStart(4, "0")}/month=${padded(month)}/`;
