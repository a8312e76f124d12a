/**
 * The data catalog seam: what was written becomes a partition of a table that people can query.
 *
 * Registering is idempotent: the same table and partitions again change nothing. A table's columns only ever grow.
 */
import { Context, type Effect, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";

/** The catalog did not answer, or may not be used by this function. */
export class CatalogUnavailable extends Schema.TaggedError<CatalogUnavailable>()(
  "CatalogUnavailable",
  { table: Schema.String, operation: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `${this.operation} of the catalog's table ${this.table} did not succeed: ${adviceOn(this)}`;
  }
}

/** The table has a column of that name and of another type: readers would fail on one of the two. */
export class CatalogConflict extends Schema.TaggedError<CatalogConflict>()("CatalogConflict", {
  table: Schema.String,
  column: Schema.String,
  known: Schema.String,
  wanted: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the catalog's table ${this.table} has a column ${this.column} of the type ${this.known}, and this file's is ${this.wanted}: write files of another schema into a table of their own`;
  }
}

/** Why registering fails. */
export const CatalogFailure = Schema.Union([CatalogUnavailable, CatalogConflict]);
export type CatalogFailure = typeof CatalogFailure.Type;

/** A column, with its type in the words of Hive, as Athena reads it. */
export interface CatalogColumn {
  readonly name: string;
  readonly type: string;
}

/** A table over Parquet files. */
export interface CatalogTable {
  readonly name: string;
  /** `s3://bucket/prefix/`. */
  readonly location: string;
  readonly columns: ReadonlyArray<CatalogColumn>;
  readonly partitionKeys: ReadonlyArray<CatalogColumn>;
}

/** One folder of a table. */
export interface CatalogPartition {
  /** In the order of the table's partition keys. */
  readonly values: ReadonlyArray<string>;
  readonly location: string;
}

export class Catalog extends Context.Service<
  Catalog,
  {
    /** Makes sure that the table is there with at least these columns, and the partitions in it. */
    readonly register: (
      table: CatalogTable,
      partitions: ReadonlyArray<CatalogPartition>,
    ) => Effect.Effect<void, CatalogFailure>;
  }
>()("@millrace/core/Catalog") {}
