/**
 * A pass over a CSV file by DuckDB, taken part by part, as `openFilePass` is by the stream engine: the same rows, rejects and figures,
 * and the same places where parts begin.
 *
 * Text is decoded and inflated as the stream engine does it. Records of the plain form go to DuckDB as they are; when DuckDB
 * takes them otherwise than was thought (a row of another width), the part is done again, each record looked at first.
 * A file on which the two engines might differ fails with NotForDuckDb, which says why: the stream engine takes it.
 */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Effect, Exit, Result, Schema, Scope, Semaphore, Stream } from "effect";
import { CsvFailure } from "../csv/CsvFailure.ts";
import { type CompleteCsvOptions, type CsvOptions, withDefaults } from "../csv/CsvOptions.ts";
import type { CsvPass } from "../csv/CsvPass.ts";
import { failWith } from "../csv/failWith.ts";
import type { CsvPart } from "../csv/CsvReport.ts";
import {
  type OpenBytes,
  type PartEnd,
  type PartSinks,
  readOpening,
  type Resume,
} from "../csv/FilePass.ts";
import { fileStart, type PassPosition } from "../csv/PassPosition.ts";
import { allowHeapGrowth } from "../csv/heapGrowth.ts";
import { passReport } from "../csv/passReport.ts";
import type { Reject } from "../csv/Reject.ts";
import { rememberRows } from "../csv/rememberRows.ts";
import { makeSpillFile } from "../csv/SpillFile.ts";
import { DuckDbFailed, type DuckDbLimits, openDuckDb } from "./DuckDb.ts";
import { declaredColumn, freeColumn, untold } from "./duckColumns.ts";
import { type DuckJob, lookAtPart, openDuckPart, PartUnread } from "./DuckPart.ts";
import { type DuckReading, openReading } from "./DuckReading.ts";
import { feedPart } from "./feedPart.ts";
import { makeFifos } from "./Fifos.ts";
import { NotForDuckDb } from "./NotForDuckDb.ts";
import { RowKeeper } from "./RowKeeper.ts";

/** Rejects of a part that are kept back. */
const heldRejectsMax = 1_000;
/** Two threads wait while a part is written, and Node has four: one part at a time in a process. */
const oneAtATime = Semaphore.makeUnsafe(1);

/** The file's beginning, up to its columns. */
const readBeginning = Effect.fnUntraced(function* <E, R>(
  options: CompleteCsvOptions,
  open: OpenBytes<E, R>,
) {
  const reason = options.columns?.map(untold).find((one) => one !== undefined);
  if (reason !== undefined) return yield* new NotForDuckDb({ reason });
  const opening = yield* readOpening(options, open);
  if (opening.opened?.format !== "csv") return yield* new NotForDuckDb({ reason: "it is JSON" });
  return opening;
});

const columnsOf = ({ groups }: CsvPass) => {
  const { declared, plan = [] } = groups ?? {};
  if (declared !== undefined)
    return declared.columns.map((column, index) =>
      declaredColumn(column, declared.sources[index] ?? -1, index),
    );
  let dates = 0;
  return plan.slice(0, -2).map((column, index) => {
    const told = freeColumn(column, index, dates);
    if (told.isFree) dates += 1;
    return told;
  });
};

/** Adds what has become of a part's rows to the figures of the pass. */
const count = (
  pass: CsvPass,
  { columns, keeper, unreadDates }: DuckJob,
  { nulls, rows }: { readonly nulls: ReadonlyArray<number>; readonly rows: number },
) => {
  const { groups } = pass;
  pass.duplicates += keeper.duplicates;
  const places = columns.flatMap(({ isFree }, index) => (isFree ? [index] : []));
  const dateColumns = (groups?.dateColumns ?? []).map((column, index) => {
    const unread = unreadDates[index] ?? 0;
    const without = nulls[places[index] ?? -1] ?? 0;
    return {
      name: column.name,
      parsed: column.parsed + rows - without,
      unparsable: column.unparsable + unread,
      empty: column.empty + without - unread,
    };
  });
  groups?.resume(groups.rows + rows, dateColumns);
};

/** Writes a part that lies in a file. */
const passOn = Effect.fnUntraced(function* <E, R>(target: string, sinks: PartSinks<E, R>) {
  const sink = yield* sinks.parquet;
  let bytes = 0;
  yield* Stream.fromAsyncIterable<Uint8Array, DuckDbFailed>(
    createReadStream(target, { highWaterMark: 256 * 1024 }),
    (cause) => new DuckDbFailed({ operation: "read a part back", cause }),
  ).pipe(
    Stream.runForEach((chunk) => {
      bytes += chunk.length;
      return sink(chunk);
    }),
  );
  yield* Effect.ignore(Effect.tryPromise(() => rm(target)));
  return bytes;
});

/** Keeps rejects back: a part that is done again would give them twice. */
const holdRejects = (held: Array<Reject>) => (rejects: ReadonlyArray<Reject>) =>
  Effect.gen(function* () {
    if (held.length + rejects.length > heldRejectsMax)
      return yield* new PartUnread({ cause: "it has many rejects" });
    held.push(...rejects);
  });

const isCsvFailure = Schema.is(CsvFailure);

/** What does not change while a file is passed over. */
interface DuckFile<E, R> {
  readonly open: OpenBytes<E, R>;
  readonly opening: CsvPass;
  readonly job: DuckJob;
}

/** Tries to write the next part. */
const tryPart = Effect.fnUntraced(function* <E, R, E2, R2>(
  job: DuckJob,
  isCareful: boolean,
  reading: DuckReading<E, R>,
  name: string,
  sinks: PartSinks<E2, R2>,
) {
  const target = `${job.db.folder}/${name}.parquet`;
  const openPart = openDuckPart(job, target);
  const held: Array<Reject> = [];
  const takeRejects: (rejects: ReadonlyArray<Reject>) => Effect.Effect<void, E2 | PartUnread, R2> =
    isCareful ? sinks.rejects : holdRejects(held);
  const { isOver, part } = yield* feedPart(reading, job, openPart, takeRejects);
  // A file without any row has one part without rows.
  const isEmpty = part === undefined && isOver && reading.pass.groups?.rows === 0;
  const written = isEmpty ? yield* openPart : part;
  if (written === undefined) return { held, isOver, target, found: undefined };
  yield* written.end;
  const found = yield* lookAtPart(job, target);
  if (found.rows !== job.keeper.kept)
    return yield* new PartUnread({ cause: `${found.rows} rows are written of ${job.keeper.kept}` });
  return { held, isOver, target, found };
}, Effect.scoped);

/** The file's parts, one after another. */
const makeParts = Effect.fnUntraced(function* <E, R>(
  { job, open, opening }: DuckFile<E, R>,
  from: PassPosition,
) {
  const outer = yield* Scope.Scope;
  const { keeper, options } = job;
  /** Whether each record is looked at byte by byte. */
  let isCareful = false;
  let scope = yield* Scope.fork(outer);
  let begun = from;
  let files = 0;
  const begin = Effect.suspend(() =>
    Scope.provide(openReading(options, open, opening, begun, isCareful, keeper), scope),
  );
  let reading = yield* begin;

  const attempt = <E2, R2>(sinks: PartSinks<E2, R2>) =>
    Effect.gen(function* () {
      keeper.begin();
      for (;;) {
        files += 1;
        job.unreadDates.fill(0);
        const tried = yield* Effect.result(tryPart(job, isCareful, reading, String(files), sinks));
        if (Result.isSuccess(tried)) return tried.success;
        const { failure } = tried;
        const isUnread = failure instanceof PartUnread;
        // What is told of an invalid file counts the rejects before, all of which are known only then.
        if (isCareful || !(isUnread || isCsvFailure(failure)))
          return yield* isUnread
            ? new NotForDuckDb({ reason: "DuckDB reads it in another way" })
            : Effect.fail(failure);
        isCareful = true;
        yield* Scope.close(scope, Exit.void);
        scope = yield* Scope.fork(outer);
        keeper.beginAgain();
        reading = yield* begin;
      }
    });

  return {
    reading: () => reading,
    next: Effect.fnUntraced(function* <E2, R2>(index: number, sinks: PartSinks<E2, R2>) {
      const { found, held, isOver, target } = yield* attempt(sinks);
      const { pass } = reading;
      if (held.length > 0) yield* sinks.rejects(held);
      if (found !== undefined) count(pass, job, found);
      if (isOver) yield* failWith(pass.judge());
      const isWritten = found !== undefined && (found.rows > 0 || pass.groups?.rows === 0);
      const part = isWritten
        ? { index, rows: found.rows, rowGroups: found.groups, bytes: yield* passOn(target, sinks) }
        : undefined;
      const position = isOver ? undefined : reading.next();
      const next: PassPosition | undefined = position && { ...position, rowHash: "text" };
      if (next !== undefined) begun = next;
      const hashes =
        options.keepHashes && !isOver ? new Uint8Array(keeper.log.take().buffer) : undefined;
      const end: PartEnd = { part, hashes, next };
      return end;
    }),
  };
});

/**
 * Begins a pass, at the file's beginning or where another pass of this engine has ended a part. What it holds goes with the scope.
 *
 * Fails:  NotForDuckDb - the stream engine takes the file
 *         DuckDbFailed - DuckDB is not there, or out of memory or disk
 *         CsvFailure - the file is invalid: permanent
 *         E - whatever the source and the sinks fail with
 */
export const openDuckPass = Effect.fnUntraced(function* <E, R>(
  given: CsvOptions,
  open: OpenBytes<E, R>,
  limits: DuckDbLimits = {},
  resume?: Resume<E, R>,
) {
  yield* allowHeapGrowth;
  const options = withDefaults(given);
  const { duplicates, keepHashes, slashDates } = options;
  if (resume !== undefined && duplicates === "file" && resume.position.rowHash !== "text")
    return yield* new NotForDuckDb({ reason: "its parts so far have another hash of rows" });
  const opening = yield* readBeginning(options, open);
  const spill = duplicates === "none" ? undefined : yield* makeSpillFile;
  const keeper = new RowKeeper(duplicates, keepHashes, spill);
  if (resume !== undefined && duplicates === "file")
    yield* rememberRows(
      keeper.seen,
      resume.hashes,
      Effect.sync(() => keeper.spill()),
    );
  const unreadDates = new Uint32Array(opening.groups?.dateColumns.length ?? 0);
  const db = yield* openDuckDb(limits, slashDates, (column) => {
    unreadDates[column] = (unreadDates[column] ?? 0) + 1;
  });
  const job: DuckJob = {
    db,
    nextPipe: makeFifos(db.folder),
    unreadDates,
    keeper,
    options,
    delimiter: opening.opened?.delimiter ?? ",",
    width: opening.groups?.width ?? 0,
    columns: columnsOf(opening),
  };
  const from = resume?.position ?? { ...fileStart, ignored: opening.ignored };
  const parts = yield* makeParts({ job, open, opening }, from);
  return {
    /** Goes on to the part's end, or the file's. */
    part: <E2, R2>(index: number, sinks: PartSinks<E2, R2>) =>
      oneAtATime.withPermit(parts.next(index, sinks)),
    /** What became of all rows, once the file has ended. */
    report: Effect.fnUntraced(function* (written: ReadonlyArray<CsvPart>) {
      const { figures, pass } = parts.reading();
      const told = yield* Effect.orDie(Effect.fromNullishOr(passReport(pass, "duckdb", written)));
      const leftOut = pass.rowsRejected - options.rejectedRowsKept;
      const { bytes, compression } = figures;
      return {
        ...told,
        ...(compression !== undefined && { compressed: { compression, bytes } }),
        ...(leftOut > 0 && { rejectsLeftOut: leftOut }),
      };
    }),
  };
});
