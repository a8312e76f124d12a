/**
 * The side effect that makes an output part of a table: the partition of the event's month, or those of its rows' months, in
 * the dataset's catalog.
 */
import { Catalog, type CatalogColumn, type ObjectCreated } from "@millrace/core";
import { Effect } from "effect";
import { Buckets } from "../Buckets.ts";
import type { CsvReport } from "../csv/CsvReport.ts";
import { processedAtColumn, sourceFileColumn } from "../csv/Header.ts";
import { calendarDate } from "../csv/Timestamp.ts";
import type { ColumnKind, ColumnPlan } from "../parquet/ColumnPlan.ts";
import {
  checkKeys,
  type Dataset,
  type Partition,
  partitionFolder,
  partitionKeys,
  partitionOf,
  tableFolder,
} from "./Dataset.ts";

/** The types of Hive. Source: Athena user guide, "Data types". */
const types: Record<Exclude<ColumnKind, "decimal">, string> = {
  text: "string",
  json: "string",
  boolean: "boolean",
  int32: "int",
  int64: "bigint",
  double: "double",
  date: "date",
  timestamp: "timestamp",
};

const typeOf = (plan: ColumnPlan): string =>
  plan.kind === "decimal" ? `decimal(${plan.precision},${plan.scale})` : types[plan.kind];

const columnsOf = (
  declared: ReadonlyArray<ColumnPlan> | undefined,
  { columns }: CsvReport,
): ReadonlyArray<CatalogColumn> => {
  if (declared === undefined)
    return columns.map(({ kind, name }) => ({
      name,
      type: kind === "decimal" ? "string" : types[kind],
    }));
  return [
    ...declared.map((plan) => ({ name: plan.name.toLowerCase(), type: typeOf(plan) })),
    { name: processedAtColumn, type: "timestamp" },
    { name: sourceFileColumn, type: "string" },
  ];
};

/** What was written. */
interface Written {
  readonly report: CsvReport;
  /** @default the event's month */
  readonly partitions?: ReadonlyArray<Partition>;
}

/** Registers what was written from an object. Doing it again changes nothing. */
export const registerDataset = Effect.fnUntraced(function* (
  { catalog, root, table }: Pick<Dataset, "table" | "catalog"> & { readonly root: string },
  { eventEpochMs }: ObjectCreated,
  declared: ReadonlyArray<ColumnPlan> | undefined,
  { partitions, report }: Written,
) {
  const { clean } = yield* Buckets;
  const columns = columnsOf(declared, report);
  yield* Effect.fromResult(checkKeys({ table }, columns));
  const place = `s3://${clean}/${tableFolder(root, table)}`;
  yield* Catalog.use(({ register }) =>
    register(
      { name: table, location: place, columns, partitionKeys },
      (partitions ?? [partitionOf(calendarDate(eventEpochMs))]).map((partition) => ({
        values: [partition.year, partition.month],
        location: partitionFolder(place, partition),
      })),
    ),
  ).pipe(Effect.provide(catalog));
});
