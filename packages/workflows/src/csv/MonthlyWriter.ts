/**
 * The files of one part whose rows go to months: one for each month that has rows, all of them open until the part ends.
 */
import { Effect } from "effect";
import type { Partition } from "../dataset/Dataset.ts";
import { monthPartition } from "../dataset/Month.ts";
import type { ByteSink } from "../parquet/ByteSink.ts";
import type { ParquetCodec } from "../parquet/ParquetCodec.ts";
import type { ParquetEncoder, ParquetPart } from "../parquet/ParquetEncoder.ts";
import { CsvTooManyMonths } from "./CsvFailure.ts";
import type { CsvPass } from "./CsvPass.ts";
import { monthsMax, rowGroupBytesMax } from "./Limits.ts";
import { type MonthGroup, MonthlyGroups } from "./MonthlyGroups.ts";
import type { Reject } from "./Reject.ts";
import type { RowGroup } from "./RowGroupBuilder.ts";

/** Where rows go by the month of a column. */
export interface MonthlySink<E, R> {
  readonly column: string;
  /** Opens the Parquet file of a month when its first row group comes. */
  readonly open: (partition: Partition) => Effect.Effect<ByteSink<E, R>, E, R>;
}

/** The file of one month. */
export interface MonthPart {
  readonly partition: Partition;
  readonly rows: number;
  readonly rowGroups: number;
  readonly bytes: number;
}

interface OpenMonth<E, R> {
  readonly month: number;
  readonly file: ParquetPart<E, R>;
  rows: number;
  rowGroups: number;
}

interface MonthlyWriterOptions {
  readonly codec: ParquetCodec;
  readonly encoder: typeof ParquetEncoder.Service;
  readonly source: string;
  readonly rowsMax: number;
}

const sum = (parts: ReadonlyArray<MonthPart>, key: "rows" | "rowGroups" | "bytes"): number =>
  parts.reduce((total, part) => total + part[key], 0);

/** The writer of one part. */
export const makeMonthlyWriter = <E, R>(
  { codec, encoder, rowsMax, source }: MonthlyWriterOptions,
  pass: Pick<CsvPass, "groups">,
  index: number,
  monthly: MonthlySink<E, R>,
  rejected: (rejects: ReadonlyArray<Reject>) => Effect.Effect<void, E, R>,
) => {
  const { column } = monthly;
  const files = new Map<number, OpenMonth<E, R>>();
  let sorted: MonthlyGroups | undefined;
  const plan = () => pass.groups?.plan ?? [];
  const fileOf = Effect.fnUntraced(function* (month: number) {
    const known = files.get(month);
    if (known !== undefined) return known;
    const file = yield* encoder.open(plan(), yield* monthly.open(monthPartition(month)), codec);
    const opened: OpenMonth<E, R> = { month, file, rows: 0, rowGroups: 0 };
    files.set(month, opened);
    return opened;
  });
  const writeMonth = Effect.fnUntraced(function* ({ columns, month, rows }: MonthGroup) {
    const open = yield* fileOf(month);
    yield* open.file.writeRowGroup(columns, rows);
    open.rows += rows;
    open.rowGroups += 1;
  });
  return {
    write: Effect.fnUntraced(function* (
      groups: ReadonlyArray<RowGroup>,
      rejects: ReadonlyArray<Reject>,
    ) {
      if (rejects.length > 0) yield* rejected(rejects);
      for (const group of groups) {
        sorted ??= new MonthlyGroups({
          plan: plan(),
          column,
          rowsMax,
          bytesMax: rowGroupBytesMax,
        });
        const finished = sorted.add(group);
        if (sorted.months > monthsMax)
          return yield* new CsvTooManyMonths({ source, column, part: index, monthsMax });
        yield* Effect.forEach(finished, writeMonth, { discard: true });
      }
    }),
    /** Nothing when there was no row. */
    finish: Effect.gen(function* () {
      yield* Effect.forEach(sorted?.end() ?? [], writeMonth, { discard: true });
      const months: Array<MonthPart> = [];
      for (const open of [...files.values()].toSorted((one, other) => one.month - other.month)) {
        const { bytes } = yield* open.file.finish;
        const { month, rowGroups, rows } = open;
        months.push({ partition: monthPartition(month), rows, rowGroups, bytes });
      }
      const part = {
        index,
        rows: sum(months, "rows"),
        rowGroups: sum(months, "rowGroups"),
        bytes: sum(months, "bytes"),
      };
      return { part: months.length === 0 ? undefined : part, months };
    }),
  };
};
