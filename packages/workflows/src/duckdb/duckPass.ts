/**
 * The DuckDB engine: a CSV file to Parquet parts, in less processor time than the stream engine, with the same rows.
 *
 * Text is decoded, inflated and cut into records as the stream engine does it; blank rows are dropped and broken ones rejected
 * here. DuckDB gets good records only, a part at a time, so that the disk holds one part, and its memory is bounded.
 * A file on which the two engines might differ fails with NotForDuckDb, which says why: the stream engine takes it.
 */
import { Effect, FileSystem, Scope, Stream } from "effect";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import type { CsvFailure } from "../csv/CsvFailure.ts";
import { type CompleteCsvOptions, type CsvOptions, withDefaults } from "../csv/CsvOptions.ts";
import { CsvPass } from "../csv/CsvPass.ts";
import type { CsvPart, DateColumn } from "../csv/CsvReport.ts";
import { type OpenBytes, makeSpill, type PartSinks, readOpening } from "../csv/FilePass.ts";
import { passReport } from "../csv/passReport.ts";
import { quoteByte } from "../csv/Quote.ts";
import { SeenRows } from "../csv/SeenRows.ts";
import { DateCells } from "./DateCells.ts";
import { DuckDbFailed, type DuckDbLimits, openDuckDb } from "./DuckDb.ts";
import { declaredColumn, freeColumn, untold } from "./duckColumns.ts";
import { type DuckJob, runDuckPart } from "./DuckPart.ts";
import { GoodRecords } from "./GoodRecords.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";

const failWith = (failure: CsvFailure | NotForDuckDb | undefined) =>
  failure === undefined ? Effect.void : Effect.fail(failure);

const start = {
  textOffset: 0,
  line: 1,
  decided: false,
  rowsIn: 0,
  rowsOut: 0,
  rowsRejected: 0,
  duplicates: 0,
  blankRows: 0,
  emptyLines: 0,
  dateColumns: [],
  ignored: [],
  firstReject: "",
};

/** Where a part goes. */
export interface DuckSinks<E, R> extends PartSinks<E, R> {
  /** Called when a part is complete; without one when there were rejected rows only. */
  readonly end: (part: CsvPart | undefined) => Effect.Effect<void, E, R>;
}

/** A pass that knows the file's columns and has read no row. */
const begin = Effect.fnUntraced(function* <E, R>(
  options: CompleteCsvOptions,
  open: OpenBytes<E, R>,
) {
  const reason = options.columns?.map(untold).find((one) => one !== undefined);
  if (reason !== undefined) return yield* new NotForDuckDb({ reason });
  const opening = yield* readOpening(options, open);
  if (opening.opened?.format !== "csv") return yield* new NotForDuckDb({ reason: "it is JSON" });
  const pass = new CsvPass(options);
  pass.resume(opening, { ...start, ignored: opening.ignored });
  const opened = yield* Effect.orDie(Effect.fromNullishOr(pass.opened));
  return { opened, pass };
});

const columnsOf = ({ groups }: CsvPass) => {
  const { declared, plan = [] } = groups ?? {};
  if (declared !== undefined)
    return declared.columns.map((column, index) =>
      declaredColumn(column, declared.sources[index] ?? -1, index),
    );
  return plan.slice(0, -2).map((column, index) => freeColumn(column, index));
};

const asFailed = (operation: string) => (cause: unknown) => new DuckDbFailed({ operation, cause });

/** What a file has come to so far. */
interface DuckState {
  readonly pass: CsvPass;
  readonly job: DuckJob;
  readonly records: GoodRecords;
  readonly dateCells: DateCells;
  readonly parts: Array<CsvPart>;
  readonly dateColumns: Array<DateColumn>;
  rowsOut: number;
}

const inputOf = ({ db }: DuckJob): string => `${db.folder}/part.csv`;
const outputOf = ({ db }: DuckJob): string => `${db.folder}/part.parquet`;

/** Runs the part that lies in the input file, and passes its Parquet file on. */
const finishPart = Effect.fnUntraced(function* <E, R>(
  state: DuckState,
  sinks: DuckSinks<E, R>,
  isLast: boolean,
) {
  const { dateCells, dateColumns, job, parts, pass, records } = state;
  const { rejects } = pass.take();
  if (rejects.length > 0) yield* sinks.rejects(rejects);
  const rows = records.takeCount();
  const { odd, told } = dateCells.take();
  const input = { path: inputOf(job), rows, dates: told, odd };
  const done = yield* runDuckPart(job, input, outputOf(job));
  state.rowsOut += done.rows;
  if (job.options.duplicates === "part") pass.seen = new SeenRows();
  for (const [index, { filled, parsed }] of told.entries()) {
    const before = dateColumns[index];
    if (before === undefined) continue;
    dateColumns[index] = {
      name: before.name,
      parsed: before.parsed + parsed,
      unparsable: before.unparsable + filled - parsed,
      empty: before.empty + done.rows - filled,
    };
  }
  // A file without any row has one part without rows.
  if (done.rows === 0 && !(isLast && state.rowsOut === 0)) return yield* sinks.end(undefined);
  const sink = yield* sinks.parquet;
  const fileSystem = yield* FileSystem.FileSystem;
  let bytes = 0;
  yield* fileSystem.stream(outputOf(job), { chunkSize: 256 * 1024 }).pipe(
    Stream.mapError(asFailed("read a part back")),
    Stream.runForEach((chunk) => {
      bytes += chunk.length;
      return sink(chunk);
    }),
  );
  const { rowGroups } = done;
  const part = { index: parts.length + 1, rows: done.rows, rowGroups, bytes };
  parts.push(part);
  yield* sinks.end(part);
});

/** Takes the records that have come; each full part is written. */
const drain = Effect.fnUntraced(function* <E, R>(
  state: DuckState,
  nextSinks: () => Effect.Effect<DuckSinks<E, R>, E, R>,
  isLast: boolean,
) {
  const { job, records } = state;
  const { partRowsMax } = job.options;
  const fileSystem = yield* FileSystem.FileSystem;
  do {
    const isFirst = records.count === 0;
    yield* failWith(records.read(partRowsMax, isLast));
    const bytes = records.take();
    if (bytes.length > 0 || isFirst)
      yield* fileSystem
        .writeFile(inputOf(job), bytes, { flag: isFirst ? "w" : "a" })
        .pipe(Effect.mapError(asFailed("write a part's text")));
    if (records.count < partRowsMax) return;
    yield* finishPart(state, yield* nextSinks(), false);
  } while (records.hasMore);
});

/** The last part, and rejects that stand behind the last row of the one before. */
const finish = Effect.fnUntraced(function* <E, R>(
  state: DuckState,
  nextSinks: () => Effect.Effect<DuckSinks<E, R>, E, R>,
) {
  const { pass, records } = state;
  if (records.count > 0 || state.rowsOut === 0)
    return yield* finishPart(state, yield* nextSinks(), true);
  const { rejects } = pass.take();
  if (rejects.length === 0) return;
  const sinks = yield* nextSinks();
  yield* sinks.rejects(rejects);
  yield* sinks.end(undefined);
});

/**
 * Transforms a CSV file into parts.
 *
 * Fails:  NotForDuckDb - the stream engine takes the file
 *         DuckDbFailed - DuckDB is not there, or out of memory or disk
 *         CsvFailure - the file is invalid: permanent
 *         E - whatever the source and the sinks fail with
 */
export const duckPass = Effect.fnUntraced(function* <E1, R1, E, R>(
  given: CsvOptions,
  open: OpenBytes<E1, R1>,
  nextSinks: () => Effect.Effect<DuckSinks<E, R>, E, R>,
  limits: DuckDbLimits = {},
) {
  const options = withDefaults(given);
  const { opened, pass } = yield* begin(options, open);
  const delimiter = opened.delimiter ?? ",";
  const db = yield* openDuckDb(limits);
  const width = pass.groups?.width ?? 0;
  const job: DuckJob = { db, options, delimiter, width, columns: columnsOf(pass) };
  const places = job.columns.flatMap(({ free }, index) => (free === undefined ? [] : [index]));
  const dateCells = new DateCells(places, quoteByte(options.quote), options.slashDates);
  const records = new GoodRecords(pass, { ...options, delimiter }, dateCells);
  const dateColumns = [...(pass.groups?.dateColumns ?? [])];
  const state: DuckState = { pass, job, records, dateCells, parts: [], dateColumns, rowsOut: 0 };
  const spill = makeSpill(pass, yield* Scope.Scope);
  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  yield* Stream.runForEach(
    inflated(options.source, open(0), options, figures),
    Effect.fnUntraced(function* (chunk: Uint8Array) {
      pass.bytesIn += chunk.length;
      records.push(yield* Effect.fromResult(opened.text.push(chunk)));
      yield* drain(state, nextSinks, false);
      yield* spill;
    }),
  );
  records.push(yield* Effect.fromResult(opened.text.end()));
  yield* drain(state, nextSinks, true);
  yield* finish(state, nextSinks);
  pass.groups?.resume(state.rowsOut, state.dateColumns);
  yield* failWith(pass.judge());
  const told = passReport(pass, "duckdb", state.parts);
  const leftOut = pass.rowsRejected - options.rejectedRowsKept;
  const { bytes, compression } = figures;
  return {
    ...(yield* Effect.orDie(Effect.fromNullishOr(told))),
    ...(compression !== undefined && { compressed: { compression, bytes } }),
    ...(leftOut > 0 && { rejectsLeftOut: leftOut }),
  };
}, Effect.scoped);
