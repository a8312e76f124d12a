/**
 * The DuckDB engine: a CSV file to Parquet parts, about five times faster than the stream engine, with the same rows.
 *
 * Text is decoded, inflated and cut into records as the stream engine does it; blank rows are dropped and broken ones rejected
 * here. DuckDB gets good records only, a part at a time, so that the disk holds one part, and its memory is bounded.
 * A file on which the two engines might differ fails with NotForDuckDb, which says why: the stream engine takes it.
 */
import { Effect, FileSystem, Result, Stream } from "effect";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import type { CsvFailure } from "../csv/CsvFailure.ts";
import { type CompleteCsvOptions, type CsvOptions, withDefaults } from "../csv/CsvOptions.ts";
import { CsvPass } from "../csv/CsvPass.ts";
import type { CsvPart } from "../csv/CsvReport.ts";
import { type OpenBytes, type PartSinks, readOpening } from "../csv/FilePass.ts";
import { passReport } from "../csv/passReport.ts";
import { DuckDbFailed, type DuckDbLimits, openDuckDb } from "./DuckDb.ts";
import { declaredColumn, freeColumn, untold } from "./duckColumns.ts";
import { beginDuck, type DuckJob, runDuckPart } from "./DuckPart.ts";
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
  return pass;
});

const columnsOf = ({ groups }: CsvPass) => {
  const { declared, plan = [] } = groups ?? {};
  if (declared !== undefined)
    return declared.columns.map((column, index) =>
      declaredColumn(column, declared.sources[index] ?? -1),
    );
  return plan.slice(0, -2).map((column, index) => freeColumn(column, index));
};

const asFailed = (operation: string) => (cause: unknown) => new DuckDbFailed({ operation, cause });

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
  const fileSystem = yield* FileSystem.FileSystem;
  const options = withDefaults(given);
  const pass = yield* begin(options, open);
  const text = pass.opened?.text;
  const delimiter = pass.opened?.delimiter ?? ",";
  const db = yield* openDuckDb(limits);
  const job: DuckJob = {
    db,
    options,
    delimiter,
    width: pass.groups?.width ?? 0,
    columns: columnsOf(pass),
  };
  yield* beginDuck(job);
  const records = new GoodRecords(pass, { ...options, delimiter });
  const [input, output] = [`${db.folder}/part.csv`, `${db.folder}/part.parquet`];
  const parts: Array<CsvPart> = [];
  const dateColumns = (pass.groups?.dateColumns ?? []).map((column) => ({ ...column }));
  let rowsOut = 0;

  const finishPart = Effect.fnUntraced(function* (isLast: boolean) {
    const sinks = yield* nextSinks();
    const { rejects } = pass.take();
    if (rejects.length > 0) yield* sinks.rejects(rejects);
    const rows = records.takeCount();
    const done = yield* runDuckPart(job, { path: input, rows }, output);
    rowsOut += done.rows;
    pass.duplicates += rows - done.rows;
    for (const [index, { filled, parsed }] of done.dates.entries()) {
      const figures = dateColumns[index];
      if (figures === undefined) continue;
      figures.parsed += parsed;
      figures.unparsable += filled - parsed;
      figures.empty += done.rows - filled;
    }
    // A file without any row has one part without rows.
    if (done.rows === 0 && !(isLast && rowsOut === 0)) return yield* sinks.end(undefined);
    const sink = yield* sinks.parquet;
    let bytes = 0;
    yield* fileSystem.stream(output, { chunkSize: 256 * 1024 }).pipe(
      Stream.mapError(asFailed("read a part back")),
      Stream.runForEach((chunk) => {
        bytes += chunk.length;
        return sink(chunk);
      }),
    );
    const part = { index: parts.length + 1, rows: done.rows, rowGroups: done.rowGroups, bytes };
    parts.push(part);
    yield* sinks.end(part);
  });

  const append = (bytes: Uint8Array, isFirst: boolean) =>
    fileSystem
      .writeFile(input, bytes, { flag: isFirst ? "w" : "a" })
      .pipe(Effect.mapError(asFailed("write a part's text")));

  /** Takes the records of the window; each full part is written. */
  const drain = Effect.fnUntraced(function* (isLast: boolean) {
    do {
      const isFirst = records.count === 0;
      yield* failWith(records.read(options.partRowsMax, isLast));
      const bytes = records.take();
      if (bytes.length > 0 || isFirst) yield* append(bytes, isFirst);
      if (records.count < options.partRowsMax) return;
      yield* finishPart(false);
    } while (records.hasMore);
  });

  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  yield* Stream.runForEach(inflated(options.source, open(0), options, figures), (chunk) => {
    pass.bytesIn += chunk.length;
    return Effect.gen(function* () {
      const converted = text?.push(chunk);
      if (converted === undefined) return;
      if (Result.isFailure(converted)) return yield* Effect.fail(converted.failure);
      records.push(converted.success);
      yield* drain(false);
    });
  });
  const rest = text?.end();
  if (rest !== undefined && Result.isFailure(rest)) return yield* Effect.fail(rest.failure);
  if (rest !== undefined) records.push(rest.success);
  yield* drain(true);
  if (records.count > 0 || rowsOut === 0) yield* finishPart(true);
  else {
    // Rejects behind the last row of the last part.
    const sinks = yield* nextSinks();
    const { rejects } = pass.take();
    if (rejects.length > 0) {
      yield* sinks.rejects(rejects);
      yield* sinks.end(undefined);
    }
  }
  pass.groups?.resume(rowsOut, dateColumns);
  yield* failWith(pass.judge());
  const told = yield* Effect.fromNullishOr(passReport(pass, "duckdb", parts)).pipe(Effect.orDie);
  const leftOut = pass.rowsRejected - options.rejectedRowsKept;
  const { bytes, compression } = figures;
  return {
    ...told,
    ...(compression !== undefined && { compressed: { compression, bytes } }),
    ...(leftOut > 0 && { rejectsLeftOut: leftOut }),
  };
}, Effect.scoped);
