/**
 * The key of a CSV file's Parquet output (D1.5): `processed/<path>/<YYYY>/<MM>/<DD>/<name>.parquet`.
 *
 * The date is the event's (UTC), so that a second run writes the same object. `<path>` is the folder of the input behind
 * the trigger's prefix. `orders.csv` gives `orders.parquet`; its neighbours `orders.tsv`, `orders.CSV` and `orders` give
 * `orders.tsv.parquet`, `orders.CSV.parquet` and `orders.file.parquet` (see collisionFreeName).
 */
import { collisionFreeName, type NameRule, withoutPrefix } from "../collisionFreeName.ts";
import { type Partition, partitionFolder, partitionOf, tableFolder } from "../dataset/Dataset.ts";
import { calendarDate } from "./Timestamp.ts";

const rule: NameRule = {
  known: new Set(["csv", "tsv", "psv", "tab", "txt", "json", "ndjson", "jsonl", "gz"]),
  replaces: (extension) => extension === "csv",
  plainOutput: () => "parquet",
  output: "parquet",
};

/** What the key is made of. */
export interface ParquetKeyInput {
  /** The input object's key, decoded. */
  readonly key: string;
  /** When the object was created, by its event. */
  readonly eventEpochMs: number;
  /** The trigger's prefix, cut off. @default none */
  readonly prefix?: string | undefined;
  /** What the output's key begins with. @default "processed" */
  readonly root?: string | undefined;
  /** The dataset's table, when the outputs are one. @default none */
  readonly table?: string | undefined;
  /** Whether its rows lie in the months of a column, and not in the event's. @default false */
  readonly inMonths?: boolean | undefined;
  /** The part's number when there are several (D2.4). @default the one file without a number */
  readonly part?: number | undefined;
}

const padded = (number: number, digits: number): string => String(number).padStart(digits, "0");

/** The key of a file with one output; with `part` the key of one of several, in a folder of the file's name. */
export const parquetKey = ({ part, ...input }: ParquetKeyInput): string =>
  part === undefined
    ? `${outputName(input)}.parquet`
    : `${outputName(input)}/part-${padded(part, 5)}.parquet`;

/**
 * The keys of a file that is written in parts. Readers of a folder pass over names that begin with `_`.
 *
 * A file whose rows lie in months has its parts there, below the event's day; the rest, which is of no month, in `_files`.
 */
export const partKeys = (input: Omit<ParquetKeyInput, "part">) => {
  const folder = outputName(input);
  return {
    manifest: `${folder}/_manifest.json`,
    parquet: (part: number) => `${folder}/part-${padded(part, 5)}.parquet`,
    inMonth: (partition: Partition, part: number) =>
      `${outputName(input, partition)}/part-${padded(part, 5)}.parquet`,
    rejects: (part: number, format: string) =>
      `${folder}/_part-${padded(part, 5)}.rejects.${format}`,
    hashes: (part: number) => `${folder}/_part-${padded(part, 5)}.hashes`,
  };
};

/** The key of the rejected rows of a file with one output: beside it, and in a dataset under a name that readers pass over. */
export const rejectsKey = (input: Omit<ParquetKeyInput, "part">, format: string): string => {
  const key = parquetKey(input);
  const slash = key.lastIndexOf("/") + 1;
  const hidden = input.table === undefined ? "" : "_";
  return `${key.slice(0, slash)}${hidden}${key.slice(slash)}.rejects.${format}`;
};

const outputName = (
  {
    eventEpochMs,
    inMonths = false,
    key,
    prefix = "",
    root = "processed",
    table,
  }: Omit<ParquetKeyInput, "part">,
  partition?: Partition,
): string => {
  const inner = withoutPrefix(key, prefix);
  const slash = inner.lastIndexOf("/") + 1;
  const path = inner.slice(0, slash);
  const { year, month, day } = calendarDate(eventEpochMs);
  const file = collisionFreeName(inner.slice(slash), rule).replace(/\.parquet$/, "");
  if (table !== undefined && inMonths) {
    const folder = tableFolder(root, table);
    const above = partition === undefined ? `${folder}_files/` : partitionFolder(folder, partition);
    return `${above}${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}/${path}${file}`;
  }
  if (table !== undefined)
    return `${partitionFolder(tableFolder(root, table), partitionOf({ year, month }))}${padded(day, 2)}/${path}${file}`;
  return `${root}/${path}${padded(year, 4)}/${padded(month, 2)}/${padded(day, 2)}/${file}`;
};
