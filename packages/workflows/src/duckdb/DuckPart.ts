/**
 * One part in DuckDB: cells of text in, a typed Parquet file out, without the rows that were there before.
 *
 * The text lies in a temporary file that holds this part and no more. Dates of forms that SQL does not tell are read by
 * `parseTimestamp`, each text once.
 */
import { Effect, Schema } from "effect";
import type { CompleteCsvOptions } from "../csv/CsvOptions.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import { parseTimestamp } from "../csv/Timestamp.ts";
import { cellName, type DuckColumn, identifier, literal } from "./duckColumns.ts";
import type { DuckDb } from "./DuckDb.ts";
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
  /** By date column: cells with text, and those that are dates. */
  readonly dates: ReadonlyArray<{ readonly filled: number; readonly parsed: number }>;
}

const Counts = Schema.Record(Schema.String, Schema.FiniteFromString);
const decodeCounts = Schema.decodeUnknownEffect(Schema.Array(Counts));
const decodeTexts = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ t: Schema.String })));

const cells = (width: number): ReadonlyArray<string> =>
  Array.from({ length: width }, (_, index) => cellName(index));

/** Makes the tables that last from part to part. */
export const beginDuck = ({ db }: DuckJob) =>
  db.run("make the table of rows seen", "CREATE TEMP TABLE seen (h1 UBIGINT, h2 UBIGINT)");

const counts = Effect.fnUntraced(function* (
  { db }: DuckJob,
  select: ReadonlyArray<string>,
  where: string,
) {
  if (select.length === 0) return [];
  const named = select.map((one, index) => `(${one})::VARCHAR AS n${index}`);
  const rows = yield* db.rows("count", `SELECT ${named.join(", ")} FROM part WHERE ${where}`);
  const [row = {}] = yield* Effect.orDie(decodeCounts(rows));
  return select.map((_, index) => row[`n${index}`] ?? 0);
});

const load = Effect.fnUntraced(function* (job: DuckJob, path: string, rows: number) {
  const { db, delimiter, options, width } = job;
  const quote = options.quote === "none" ? "" : options.quote;
  const columns = cells(width).map((name) => `'${name}': 'VARCHAR'`);
  const settings = [
    `columns = {${columns.join(", ")}}`,
    "auto_detect = false, header = false, nullstr = '', strict_mode = true, new_line = '\\n'",
    `delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)}`,
    `max_line_size = ${2 * recordBytesMax}`,
  ];
  yield* db.run(
    "read a part",
    `CREATE OR REPLACE TEMP TABLE part AS SELECT * FROM read_csv(${literal(path)}, ${settings.join(", ")})`,
  );
  const [read] = yield* counts(job, ["count(*)"], "true");
  if (read !== rows)
    return yield* new NotForDuckDb({ reason: `DuckDB reads ${read} rows where there are ${rows}` });
});

/** Marks the first of equal rows; with `file` those that no part before had. */
const dropDuplicates = Effect.fnUntraced(function* ({ db, options, width }: DuckJob) {
  if (options.duplicates === "none") return "true";
  const names = cells(width).join(", ");
  yield* db.run(
    "find duplicates",
    `CREATE OR REPLACE TEMP TABLE kept AS SELECT min(id) AS id, h1, h2 FROM (SELECT rowid AS id, hash(${names}) AS h1, hash(concat_ws(chr(31), ${names})) AS h2 FROM part) GROUP BY h1, h2`,
  );
  if (options.duplicates === "file") {
    yield* db.run(
      "find duplicates of parts before",
      "DELETE FROM kept USING seen WHERE kept.h1 = seen.h1 AND kept.h2 = seen.h2",
    );
    yield* db.run("remember rows", "INSERT INTO seen SELECT h1, h2 FROM kept");
  }
  return "rowid IN (SELECT id FROM kept)";
});

/** Reads the dates that SQL cannot tell into a table. */
const readOddDates = Effect.fnUntraced(function* ({ columns, db, options }: DuckJob) {
  yield* db.run(
    "make the table of dates",
    "CREATE OR REPLACE TEMP TABLE dates (t VARCHAR, v TIMESTAMPTZ)",
  );
  const texts = columns.flatMap(({ free, odd }) =>
    free === undefined || odd === undefined ? [] : [`SELECT ${free} AS t FROM part WHERE ${odd}`],
  );
  if (texts.length === 0) return false;
  const found = yield* Effect.orDie(
    decodeTexts(
      yield* db.rows(
        "list dates",
        `SELECT DISTINCT t FROM (${texts.join(" UNION ALL ")}) LIMIT ${oddDatesMax + 1}`,
      ),
    ),
  );
  if (found.length > oddDatesMax)
    return yield* new NotForDuckDb({ reason: "its date columns hold many texts of other forms" });
  for (let at = 0; at < found.length; at += batch) {
    const values = found.slice(at, at + batch).map(({ t }) => {
      const epochMs = parseTimestamp(t, options.slashDates);
      return `(${literal(t)}, ${epochMs === null ? "NULL" : `make_timestamp(${epochMs}000)::TIMESTAMPTZ`})`;
    });
    yield* db.run("keep dates", `INSERT INTO dates VALUES ${values.join(", ")}`);
  }
  return found.length > 0;
});

/** The plain rule alone where no cell needs the other one: half of the work. */
const valueOf = ({ free, odd, value }: DuckColumn, hasOddDates: boolean): string =>
  free === undefined || odd === undefined || !hasOddDates
    ? value
    : `CASE WHEN ${odd} THEN (SELECT v FROM dates WHERE t = ${free}) ELSE ${value} END`;

/** Transforms a part that lies in a file, into another. */
export const runDuckPart = Effect.fnUntraced(function* (
  job: DuckJob,
  from: { readonly path: string; readonly rows: number },
  target: string,
) {
  const { columns, db, options } = job;
  yield* load(job, from.path, from.rows);
  const keep = yield* dropDuplicates(job);
  const owed = columns.filter(({ free, odd }) => odd !== undefined && free === undefined);
  const unfit = yield* counts(
    job,
    owed.map(({ odd }) => `count(*) FILTER (${odd ?? "false"})`),
    "true",
  );
  const first = owed.find((_, index) => (unfit[index] ?? 0) > 0);
  if (first !== undefined)
    return yield* new NotForDuckDb({
      reason: `the column ${JSON.stringify(first.name)} holds values of other forms than the plain one`,
    });
  const hasOddDates = yield* readOddDates(job);
  const dates = columns.filter(({ free }) => free !== undefined);
  const [rows = 0, ...figures] = yield* counts(
    job,
    [
      "count(*)",
      ...dates.flatMap((column) => [
        `count(${column.free})`,
        `count(${valueOf(column, hasOddDates)})`,
      ]),
    ],
    keep,
  );
  const selected = [
    ...columns.map((column) => `${valueOf(column, hasOddDates)} AS ${identifier(column.name)}`),
    `make_timestamp(${options.processedAtEpochMs}000)::TIMESTAMPTZ AS _processed_at`,
    `${literal(options.sourceFile)} AS _source_file`,
  ];
  yield* db.run(
    "write a part",
    `COPY (SELECT ${selected.join(", ")} FROM part WHERE ${keep}) TO ${literal(target)} (FORMAT parquet, COMPRESSION ${options.codec}, ROW_GROUP_SIZE ${rowGroupRows})`,
  );
  const written = yield* Effect.orDie(
    decodeCounts(
      yield* db.rows(
        "look at a part",
        `SELECT num_row_groups::VARCHAR AS n FROM parquet_file_metadata(${literal(target)})`,
      ),
    ),
  );
  const result: DuckPartResult = {
    rows,
    rowGroups: written[0]?.["n"] ?? 0,
    dates: dates.map((_, index) => ({
      filled: figures[index * 2] ?? 0,
      parsed: figures[index * 2 + 1] ?? 0,
    })),
  };
  return result;
});
