/**
 * The month that a row belongs to, by a date of its own, and the partition that is made of it.
 *
 * Shape:  a month is one number, `year * 12 + month - 1`, of the years 1 to 9999 that dates are read in; `emptyMonth`, which
 *         stands behind all of them, is that of rows without a date
 */
import { calendarDate } from "../csv/Timestamp.ts";
import { type Partition, partitionOf } from "./Dataset.ts";

const dayMs = 86_400_000;

/** The month of rows whose cell is empty. */
export const emptyMonth = 10_000 * 12;

/** What Hive, Athena, Spark and DuckDB read as null in the name of a folder. */
const hiveDefault = "__HIVE_DEFAULT_PARTITION__";

/** The month, in UTC, of a date (days) or a timestamp (milliseconds). */
export const monthOf = (kind: "date" | "timestamp", value: number): number => {
  const { month, year } = calendarDate(kind === "date" ? value * dayMs : value);
  return year * 12 + month - 1;
};

/** The partition of a month. */
export const monthPartition = (month: number): Partition =>
  month === emptyMonth
    ? { year: hiveDefault, month: hiveDefault }
    : partitionOf({ year: Math.floor(month / 12), month: (month % 12) + 1 });
