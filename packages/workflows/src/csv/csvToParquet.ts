/**
 * One streaming pass from CSV to Parquet: validate, clean, transform, enrich, output (D1.5, D1.6, D1.7, D3.2).
 *
 * A gzip archive is read as the file in it. Memory is bounded whatever the file's size: one chunk, one row group, the table of row hashes (see SeenRows). The same
 * input and options give the same bytes, however the source is chunked.
 *
 * Decisions:
 *   a header without rows is a valid file: an empty export is a fact, and its Parquet file has the columns and no rows
 *   exact duplicates are compared as text, cell by cell, before dates are parsed; the first one wins
 *   a row whose cells are all empty is dropped, whatever its width; an empty line is no row
 *   too many rejected rows: more than 100 and more than 10 % of all (both can be set); more than a number that can be
 *   set; or every row there is
 */
import { Effect, Scope, Stream } from "effect";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import type { ByteSink } from "../parquet/ByteSink.ts";
import { ParquetEncoder, type ParquetPart } from "../parquet/ParquetEncoder.ts";
import type { CsvFailure } from "./CsvFailure.ts";
import { type CsvOptions, withDefaults } from "./CsvOptions.ts";
import { CsvPass, textKind } from "./CsvPass.ts";
import type { CsvPart, CsvReport } from "./CsvReport.ts";
import { processedAtColumn, sourceFileColumn } from "./Header.ts";
import { limitHeapGrowth } from "./heapGrowth.ts";
import { chunkBytesMax } from "./Limits.ts";
import { makeRejectsEncoder } from "./RejectsFile.ts";
import type { RowGroup } from "./RowGroupBuilder.ts";
import { makeSpillFile, type SpillFile } from "./SpillFile.ts";
import { toldName, toldRename } from "./toldName.ts";

/** Where the results go. */
export interface CsvSinks<E, R> {
  /** Opens the sink of a Parquet file; parts count from 1 and are written one after another. */
  readonly part: (index: number) => Effect.Effect<ByteSink<E, R>, E, R>;
  /** Called when a part is complete. Not called for a part that failed in the middle. */
  readonly endPart: (part: CsvPart) => Effect.Effect<void, E, R>;
  /** Takes the rejects file, in line order; never called when no row is rejected. */
  readonly rejects: ByteSink<E, R>;
}

interface OpenPart<E, R> {
  readonly parquet: ParquetPart<E, R>;
  rows: number;
  rowGroups: number;
}

/** Cuts large chunks, so that one of them never grows a parse step or a row group beyond its bound. */
const pieces = (chunk: Uint8Array): ReadonlyArray<Uint8Array> => {
  if (chunk.length <= chunkBytesMax) return [chunk];
  const count = Math.ceil(chunk.length / chunkBytesMax);
  return Array.from({ length: count }, (_, index) =>
    chunk.subarray(index * chunkBytesMax, (index + 1) * chunkBytesMax),
  );
};

/** The output side: parts opened when their first group comes. */
const makeOutput = <E, R>(
  pass: CsvPass,
  encoder: typeof ParquetEncoder.Service,
  sinks: CsvSinks<E, R>,
  encodeRejects: ReturnType<typeof makeRejectsEncoder>,
) => {
  const parts: Array<CsvPart> = [];
  let current: OpenPart<E, R> | undefined;

  const openPart = Effect.fnUntraced(function* () {
    const sink = yield* sinks.part(parts.length + 1);
    const parquet = yield* encoder.open(pass.groups?.plan ?? [], sink);
    current = { parquet, rows: 0, rowGroups: 0 };
    return current;
  });

  const finishPart = Effect.fnUntraced(function* (open: OpenPart<E, R>) {
    const { bytes } = yield* open.parquet.finish;
    const part = { index: parts.length + 1, rows: open.rows, rowGroups: open.rowGroups, bytes };
    parts.push(part);
    current = undefined;
    yield* sinks.endPart(part);
  });

  const writeGroup = Effect.fnUntraced(function* (group: RowGroup) {
    const open = current ?? (yield* openPart());
    yield* open.parquet.writeRowGroup(group.columns, group.rows);
    open.rows += group.rows;
    open.rowGroups += 1;
    if (group.lastOfPart) yield* finishPart(open);
  });

  const drain = Effect.fnUntraced(function* () {
    if (pass.rejects.length > 0) {
      const rejects = pass.rejects;
      pass.rejects = [];
      yield* sinks.rejects(encodeRejects(rejects));
    }
    const groups = pass.groups?.finished ?? [];
    if (pass.groups !== undefined) pass.groups.finished = [];
    yield* Effect.forEach(groups, writeGroup, { discard: true });
  });

  const end = Effect.fnUntraced(function* () {
    yield* drain();
    // A file without rows still gets its one, empty, part.
    if (current !== undefined || parts.length === 0)
      yield* finishPart(current ?? (yield* openPart()));
    return parts;
  });

  return { drain, end };
};

const report = (
  pass: CsvPass,
  encoder: string,
  parts: ReadonlyArray<CsvPart>,
): CsvReport | undefined => {
  const { groups, opened } = pass;
  if (groups === undefined || opened === undefined) return undefined;
  const { rowsIn, rowsRejected, duplicates, blankRows, emptyLines } = pass;
  const rowsOut = groups.rows;
  const bytesOut = parts.reduce((sum, part) => sum + part.bytes, 0);
  const rowGroups = parts.reduce((sum, part) => sum + part.rowGroups, 0);
  const dateColumns = groups.dateColumns.map((column) => ({
    ...column,
    name: toldName(column.name),
  }));
  const nullDates = dateColumns.reduce((sum, column) => sum + column.unparsable, 0);
  const valid = rowsIn - rowsRejected;
  return {
    rowsIn,
    rowsOut,
    rowsRejected,
    duplicates,
    blankRows,
    nullDates,
    bytesIn: pass.bytesIn,
    bytesOut,
    columns: groups.plan.map(({ kind, name }) => ({ name: toldName(name), kind })),
    renamed: pass.renamed.map(toldRename),
    ...(pass.ignored.length > 0 && { ignored: pass.ignored }),
    encoding: opened.text.encoding,
    encodingOrigin: opened.text.origin,
    ...textKind(opened),
    parts,
    stages: {
      validate: { rowsIn, rowsOut: valid, rowsRejected, emptyLines },
      clean: { rowsIn: valid, rowsOut, blankRows, duplicates },
      transform: { rows: rowsOut, dateColumns, nullDates },
      enrich: { rows: rowsOut, columns: [processedAtColumn, sourceFileColumn] },
      output: { encoder, rows: rowsOut, rowGroups, parts: parts.length, bytes: bytesOut },
    },
  };
};

const failWith = (failure: CsvFailure | undefined) =>
  failure === undefined ? Effect.void : Effect.fail(failure);

/**
 * Transforms a CSV file and tells what became of it.
 *
 * On failure what the sinks got so far is to be thrown away: nothing is complete before `endPart` and the report.
 *
 * Fails:  CsvFailure - the file is invalid: permanent
 *         ParquetEncodingFailed - a bug: permanent
 *         SpillFailed - no temporary disk space: worth a retry elsewhere
 *         E - whatever the source and the sinks fail with
 */
export const csvToParquet = Effect.fn("csvToParquet")(function* <E1, R1, E2, R2>(
  options: CsvOptions,
  source: Stream.Stream<Uint8Array, E1, R1>,
  sinks: CsvSinks<E2, R2>,
) {
  yield* limitHeapGrowth;
  const encoder = yield* ParquetEncoder;
  const complete = withDefaults(options);
  const pass = new CsvPass(complete);
  const output = makeOutput(pass, encoder, sinks, makeRejectsEncoder(complete.rejectsFormat));
  let spillFile: SpillFile | undefined;
  // A scope of its own: the sinks' scope is the caller's, who may close its files long after this pass.
  const spillScope = yield* Scope.make();

  const take = Effect.fnUntraced(function* (piece: Uint8Array) {
    yield* failWith(pass.push(piece));
    if (pass.seen.full) {
      spillFile ??= yield* Scope.provide(makeSpillFile, spillScope);
      pass.seen.spill(spillFile);
    }
    yield* output.drain();
  });

  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  yield* Stream.runForEach(inflated(options.source, source, complete, figures), (chunk) =>
    Effect.forEach(pieces(chunk), take, { discard: true }),
  ).pipe(
    Effect.andThen(Effect.suspend(() => failWith(pass.end()))),
    Effect.onExit((exit) => Scope.close(spillScope, exit)),
  );
  const parts = yield* output.end();
  // A pass that ended well has read a header, so there is a report.
  const told = yield* Effect.fromNullishOr(report(pass, encoder.name, parts)).pipe(Effect.orDie);
  const leftOut = pass.rowsRejected - complete.rejectedRowsKept;
  const { bytes, compression } = figures;
  return {
    ...told,
    ...(compression !== undefined && { compressed: { compression, bytes } }),
    ...(leftOut > 0 && { rejectsLeftOut: leftOut }),
  };
});
