/**
 * One part in DuckDB: cells of text in, a typed Parquet file out, in one query that holds a row group and no more.
 *
 * The text lies in a temporary file that holds this part alone. Dates of forms that SQL does not tell were read by
 * `parseTimestamp`, each text once.
 */
import { Effect, Schema } from "effect";
import type { CompleteCsvOptions } from "../csv/CsvOptions.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import type { DateTold } from "./DateCells.ts";
import {
  cellName,
  dateValue,
  type DuckColumn,
  identifier,
  literal,
  untoldCell,
} from "./duckColumns.ts";
import type { DuckDb, DuckDbFailed } from "./DuckDb.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";

/** Different texts of dates that are read one by one. */
const oddDatesMax = 100_000;
const rowGroupRows = 100_000;
const batch = 1_000;

/** What is the same for all parts of a file. */
export interface DuckJob {
  readonly db: DuckDb;
  readonly options: CompleteCsvOptions;
  readonly delimiter: string;
  /** Cells of a row. */
  readonly width: number;
  readonly columns: ReadonlyArray<DuckColumn>;
}

/** What a part came to. */
export interface DuckPartResult {
  readonly rows: number;
  readonly rowGroups: number;
}

/** A part as it comes. */
export interface DuckPartInput {
  readonly path: string;
  readonly rows: number;
  /** Of each date column of D1.6. */
  readonly dates: ReadonlyArray<DateTold>;
  /** What the texts are that SQL cannot tell. */
  readonly odd: ReadonlyMap<string, number | null>;
}

const decodeWritten = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ rows: Schema.FiniteFromString, groups: Schema.FiniteFromString })]),
);

/** The part's text as a table of cells. */
const cellsOf = ({ delimiter, options, width }: DuckJob, path: string): string => {
  const quote = options.quote === "none" ? "" : options.quote;
  const columns = Array.from({ length: width }, (_, index) => `'${cellName(index)}': 'VARCHAR'`);
  const settings = [
    `columns = {${columns.join(", ")}}`,
    "auto_detect = false, header = false, nullstr = '', strict_mode = true, new_line = '\\n'",
    `delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)}`,
    `max_line_size = ${2 * recordBytesMax}`,
  ];
  return `read_csv(${literal(path)}, ${settings.join(", ")})`;
};

/** Makes the table of the dates that SQL cannot tell. */
const keepOddDates = Effect.fnUntraced(function* (
  { db }: DuckJob,
  odd: ReadonlyMap<string, number | null>,
) {
  if (odd.size === 0) return;
  if (odd.size > oddDatesMax)
    return yield* new NotForDuckDb({ reason: "its date columns hold many texts of other forms" });
  yield* db.run(
    "make the table of dates",
    "CREATE OR REPLACE TEMP TABLE dates (t VARCHAR, v TIMESTAMPTZ)",
  );
  const found = [...odd];
  for (let at = 0; at < found.length; at += batch) {
    const values = found
      .slice(at, at + batch)
      .map(
        ([text, epochMs]) =>
          `(${literal(text)}, ${epochMs === null ? "NULL" : `make_timestamptz(${epochMs}000)`})`,
      );
    yield* db.run("keep dates", `INSERT INTO dates VALUES ${values.join(", ")}`);
  }
});

/** Why the stream engine takes a file, when a query has stopped at a cell. */
const asUntold =
  ({ columns }: DuckJob) =>
  (failed: DuckDbFailed): DuckDbFailed | NotForDuckDb => {
    const place = new RegExp(`${untoldCell}(\\d+)`).exec(String(failed.cause))?.[1];
    if (place === undefined) return failed;
    const name = JSON.stringify(columns[Number(place)]?.name ?? "");
    return new NotForDuckDb({
      reason: `the column ${name} holds values of other forms than the plain one`,
    });
  };

/** Transforms a part that lies in a file, into another. */
export const runDuckPart = Effect.fnUntraced(function* (
  job: DuckJob,
  { dates, odd, path, rows }: DuckPartInput,
  target: string,
) {
  const { columns, db, options } = job;
  yield* keepOddDates(job, odd);
  let date = 0;
  const valueOf = ({ free, value }: DuckColumn): string => {
    const told = free === undefined ? undefined : dates[date++];
    return free === undefined || told === undefined ? value : dateValue(free, told);
  };
  const selected = [
    ...columns.map((column) => `${valueOf(column)} AS ${identifier(column.name)}`),
    `make_timestamptz(${options.processedAtEpochMs}000) AS _processed_at`,
    `${literal(options.sourceFile)} AS _source_file`,
  ];
  yield* db
    .run(
      "write a part",
      `COPY (SELECT ${selected.join(", ")} FROM ${cellsOf(job, path)}) TO ${literal(target)} (FORMAT parquet, COMPRESSION ${options.codec}, ROW_GROUP_SIZE ${rowGroupRows})`,
    )
    .pipe(Effect.mapError(asUntold(job)));
  const [written] = yield* Effect.orDie(
    Effect.flatMap(
      db.rows(
        "look at a part",
        `SELECT num_rows::VARCHAR AS rows, num_row_groups::VARCHAR AS groups FROM parquet_file_metadata(${literal(target)})`,
      ),
      decodeWritten,
    ),
  );
  if (written.rows !== rows)
    return yield* new NotForDuckDb({
      reason: `DuckDB reads ${written.rows} rows where there are ${rows}`,
    });
  const result: DuckPartResult = { rows, rowGroups: written.groups };
  return result;
});
