/**
 * One part in DuckDB: cells of text in through a pipe, a typed Parquet file out, in one query that holds a row group and no more.
 */
import { Effect, Fiber, Schema } from "effect";
import type { CompleteCsvOptions } from "../csv/CsvOptions.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import { cellName, type DuckColumn, identifier, literal, untoldCell } from "./duckColumns.ts";
import { type DuckDb, DuckDbFailed } from "./DuckDb.ts";
import { FifoWriter, type makeFifos, releaseFifo } from "./Fifos.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";
import type { RowKeeper } from "./RowKeeper.ts";

const rowGroupRows = 50_000;
/**
 * Columns with more different values in a row group are written as they are: to make a dictionary of them is lost work. With 10,000
 * the files of the benchmark are as large, and take 3 % longer (measured).
 */
const dictionaryMax = 5_000;
/** What DuckDB reads at once; a record has to fit. */
const bufferBytes = 4 * recordBytesMax;

/** What is the same for all parts of a file. */
export interface DuckJob {
  readonly db: DuckDb;
  /** A pipe that nobody has used. */
  readonly nextPipe: ReturnType<typeof makeFifos>;
  readonly keeper: RowKeeper;
  /** Of each date column without a declared type, the part's cells that are no dates. */
  readonly unreadDates: Uint32Array;
  readonly options: CompleteCsvOptions;
  readonly delimiter: string;
  /** Cells of a row. */
  readonly width: number;
  readonly columns: ReadonlyArray<DuckColumn>;
}

/** The text does not have as many cells in each row as it should, or else DuckDB takes it otherwise than was thought. */
export class PartUnread extends Schema.TaggedError<PartUnread>()("PartUnread", {
  cause: Schema.Defect(),
}) {}

/** The part's text as a table of cells. */
const cellsOf = ({ delimiter, options, width }: DuckJob, pipe: string): string => {
  const quote = options.quote === "none" ? "" : options.quote;
  const columns = Array.from({ length: width }, (_, index) => `'${cellName(index)}': 'VARCHAR'`);
  const settings = [
    `columns = {${columns.join(", ")}}`,
    "auto_detect = false, header = false, nullstr = '', strict_mode = true, new_line = '\\n', parallel = false",
    `delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)}`,
    `max_line_size = ${2 * recordBytesMax}, buffer_size = ${bufferBytes}`,
  ];
  return `read_csv(${literal(pipe)}, ${settings.join(", ")})`;
};

const copyOf = (job: DuckJob, pipe: string, target: string): string => {
  const { columns, options } = job;
  const selected = [
    ...columns.map(({ name, value }) => `${value} AS ${identifier(name)}`),
    `make_timestamptz(${options.processedAtEpochMs}000) AS _processed_at`,
    `${literal(options.sourceFile)} AS _source_file`,
  ];
  // A cast that stands twice in an expression is made twice, and one beneath it once.
  const casts = columns.flatMap(({ cast }) => cast ?? []);
  const cells = `(SELECT ${["*", ...casts].join(", ")} FROM ${cellsOf(job, pipe)})`;
  const format = `FORMAT parquet, COMPRESSION ${options.codec}, ROW_GROUP_SIZE ${rowGroupRows}, DICTIONARY_SIZE_LIMIT ${dictionaryMax}, WRITE_BLOOM_FILTER false`;
  return `COPY (SELECT ${selected.join(", ")} FROM ${cells}) TO ${literal(target)} (${format})`;
};

/** Why a query has failed: a cell that SQL cannot tell, or text that is not as it was thought. */
const asFailure =
  ({ columns }: DuckJob) =>
  (failed: DuckDbFailed): DuckDbFailed | PartUnread | NotForDuckDb => {
    const cause = String(failed.cause);
    const place = new RegExp(`${untoldCell}(\\d+)`).exec(cause)?.[1];
    if (place === undefined)
      return cause.includes("CSV") ? new PartUnread({ cause: failed.cause }) : failed;
    const name = JSON.stringify(columns[Number(place)]?.name ?? "");
    return new NotForDuckDb({
      reason: `the column ${name} holds values of other forms than the plain one`,
    });
  };

const openQuery = Effect.fnUntraced(function* (
  { db }: DuckJob,
  pipe: string,
  writer: FifoWriter,
  sql: string,
) {
  let isEnded = false;
  const done = db.start(sql).finally(() => {
    isEnded = true;
  });
  // Whoever waits for it is told; nobody else has to be.
  done.catch(() => undefined);
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      if (!isEnded) db.interrupt();
      yield* writer.abandon;
      yield* releaseFifo(pipe, () => isEnded && !writer.isWaiting);
    }),
  );
  return { done };
});

/** A part that is being written. */
export const openDuckPart = Effect.fnUntraced(function* (job: DuckJob, target: string) {
  const pipe = yield* job.nextPipe;
  const writer = new FifoWriter(pipe);
  const { done } = yield* openQuery(job, pipe, writer, copyOf(job, pipe, target));
  const query = Effect.tryPromise({
    try: () => done,
    catch: (cause) => new DuckDbFailed({ operation: "write a part", cause }),
  });
  const ended = yield* Effect.forkScoped(Effect.mapError(query, asFailure(job)));
  const failed = Effect.andThen(Fiber.join(ended), Effect.never);
  /** What a pipe says when DuckDB has gone, is less than what DuckDB says. */
  const orFailure = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.raceFirst(
      work.pipe(Effect.catch((error) => Effect.andThen(Fiber.join(ended), Effect.fail(error)))),
      failed,
    );
  return {
    /** Passes records on. */
    write: (text: Uint8Array) => orFailure(writer.write(text)),
    /** Ends the part. */
    end: Effect.andThen(orFailure(writer.close), Fiber.join(ended)),
  };
});

const decodeWritten = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      rows: Schema.FiniteFromString,
      groups: Schema.FiniteFromString,
      nulls: Schema.FiniteFromString,
    }),
  ),
);

/** What a file holds that was written: rows, row groups, and the empty values of each column. */
export const lookAtPart = Effect.fnUntraced(function* ({ db }: DuckJob, target: string) {
  const columns = yield* Effect.orDie(
    Effect.flatMap(
      db.rows(
        "look at a part",
        `SELECT sum(row_group_num_rows)::VARCHAR AS rows, count(*)::VARCHAR AS groups, sum(stats_null_count)::VARCHAR AS nulls FROM parquet_metadata(${literal(target)}) GROUP BY column_id ORDER BY column_id`,
      ),
      decodeWritten,
    ),
  );
  const { groups = 0, rows = 0 } = columns[0] ?? {};
  return { rows, groups, nulls: columns.map((column) => column.nulls) };
});
