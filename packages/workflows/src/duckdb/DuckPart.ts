/**
 * One part in DuckDB: cells of text in through pipes, a typed Parquet file out, in one query that holds a row group and no more.
 *
 * A part is full when so many rows are *kept*, and how many that are is known only when DuckDB has looked at them. So the text comes
 * in rounds, a pipe each: as many records as there are rows missing, then as many as were dropped of those, until none is.
 */
import { Effect, Fiber, Schema } from "effect";
import type { CompleteCsvOptions } from "../csv/CsvOptions.ts";
import { recordBytesMax } from "../csv/Limits.ts";
import { cellName, type DuckColumn, identifier, literal, untoldCell } from "./duckColumns.ts";
import { type DuckDb, DuckDbFailed, keepRow } from "./DuckDb.ts";
import { FifoWriter, makeFifos, releaseFifos } from "./Fifos.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";
import type { RowKeeper } from "./RowKeeper.ts";

const rowGroupRows = 50_000;
/** Columns with more different values are written as they are: to make a dictionary of them is lost work. */
const dictionaryMax = 10_000;
/** What DuckDB reads at once; a record has to fit. */
const bufferBytes = 4 * recordBytesMax;

/** What is the same for all parts of a file. */
export interface DuckJob {
  readonly db: DuckDb;
  readonly keeper: RowKeeper;
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

/** More rows are dropped than there are rounds to make up for. */
export class RoundsSpent extends Schema.TaggedError<RoundsSpent>()("RoundsSpent", {}) {}

/** The part's text as a table of cells. */
const cellsOf = ({ delimiter, options, width }: DuckJob, pipes: ReadonlyArray<string>): string => {
  const quote = options.quote === "none" ? "" : options.quote;
  const columns = Array.from({ length: width }, (_, index) => `'${cellName(index)}': 'VARCHAR'`);
  const settings = [
    `columns = {${columns.join(", ")}}`,
    "auto_detect = false, header = false, nullstr = '', strict_mode = true, new_line = '\\n', parallel = false",
    `delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)}`,
    `max_line_size = ${2 * recordBytesMax}, buffer_size = ${bufferBytes}`,
  ];
  return `read_csv([${pipes.map(literal).join(", ")}], ${settings.join(", ")})`;
};

/** The rows that are kept. */
const keptOf = (job: DuckJob, pipes: ReadonlyArray<string>): string => {
  const { columns, options, width } = job;
  const cells = Array.from({ length: width }, (_, index) => cellName(index));
  const dates = columns.flatMap(({ free }) => free ?? []);
  const flags = [
    `(coalesce(${[...cells, "NULL"].join(", ")}) IS NULL)::UINTEGER`,
    ...dates.map((cell, index) => `${2 << index}::UINTEGER * (${cell} IS NULL)::UINTEGER`),
  ].join(" + ");
  const table = cellsOf(job, pipes);
  if (options.duplicates === "none")
    return `(SELECT * FROM ${table} WHERE ${keepRow}(${flags}, 0, 0, 0) = 1)`;
  // The hash of all cells, and one of their text without bounds: rows that differ are told apart by either.
  const hashes = `hash(${cells.join(", ")}) AS h, hash(concat(${cells.join(", ")})) AS g`;
  const words = "(h & 4294967295)::UINTEGER, (h >> 32)::UINTEGER, (g & 4294967295)::UINTEGER";
  return `(SELECT * FROM (SELECT *, ${hashes} FROM ${table}) WHERE ${keepRow}(${flags}, ${words}) = 1)`;
};

const copyOf = (job: DuckJob, pipes: ReadonlyArray<string>, target: string): string => {
  const { columns, options } = job;
  const selected = [
    ...columns.map(({ name, value }) => `${value} AS ${identifier(name)}`),
    `make_timestamptz(${options.processedAtEpochMs}000) AS _processed_at`,
    `${literal(options.sourceFile)} AS _source_file`,
  ];
  const format = `FORMAT parquet, COMPRESSION ${options.codec}, ROW_GROUP_SIZE ${rowGroupRows}, DICTIONARY_SIZE_LIMIT ${dictionaryMax}, WRITE_BLOOM_FILTER false`;
  return `COPY (SELECT ${selected.join(", ")} FROM ${keptOf(job, pipes)}) TO ${literal(target)} (${format})`;
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
  pipes: ReadonlyArray<string>,
  writers: ReadonlyArray<FifoWriter>,
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
      yield* Effect.forEach(writers, (writer) => writer.abandon, { discard: true });
      yield* releaseFifos(pipes, () => isEnded && !writers.some(({ isWaiting }) => isWaiting));
    }),
  );
  return { done };
});

/** A part that is being written. */
export const openDuckPart = Effect.fnUntraced(function* (
  job: DuckJob,
  target: string,
  name: string,
  rounds: number,
) {
  const { db, keeper } = job;
  const pipes = yield* makeFifos(db.folder, name, rounds);
  const writers: Array<FifoWriter> = [];
  const { done } = yield* openQuery(job, pipes, writers, copyOf(job, pipes, target));
  const query = Effect.tryPromise({
    try: () => done,
    catch: (cause) => new DuckDbFailed({ operation: "write a part", cause }),
  });
  const ended = yield* Effect.forkScoped(Effect.mapError(query, asFailure(job)));
  const failed = Effect.andThen(Fiber.join(ended), Effect.never);
  let round = 0;
  let fed = 0;
  let writer: FifoWriter | undefined;
  const nextWriter = Effect.gen(function* () {
    const path = pipes[round];
    if (path === undefined) return yield* new RoundsSpent();
    const opened = new FifoWriter(path);
    writers.push(opened);
    round += 1;
    writer = opened;
    return opened;
  });
  /** What a pipe says when DuckDB has gone, is less than what DuckDB says. */
  const orFailure = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.raceFirst(
      work.pipe(Effect.catch((error) => Effect.andThen(Fiber.join(ended), Effect.fail(error)))),
      failed,
    );
  return {
    /** Passes records of this round on. */
    write: Effect.fnUntraced(function* (bytes: Uint8Array, records: number) {
      const open = writer ?? (yield* nextWriter);
      fed += records;
      yield* orFailure(open.write(bytes));
    }),
    /** Ends the round: all records have been looked at. */
    endRound: Effect.gen(function* () {
      const open = writer ?? (yield* nextWriter);
      writer = undefined;
      yield* orFailure(open.close);
      yield* orFailure(
        Effect.callback<void>((resume) => keeper.whenLooked(fed, () => resume(Effect.void))),
      );
    }),
    /** Ends the part. */
    end: Effect.gen(function* () {
      while (round < pipes.length) yield* orFailure((yield* nextWriter).close);
      yield* Fiber.join(ended);
      if (keeper.looked !== fed)
        return yield* new PartUnread({ cause: `${keeper.looked} rows of ${fed}` });
    }),
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
