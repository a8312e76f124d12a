/**
 * A pass over a file, taken part by part: one Parquet file each, written as its row groups are finished.
 *
 * It can begin where another pass has ended a part, in another process, and comes to the same bytes. A plain UTF-8 file is
 * then read from that byte on; a compressed one, or one whose text is converted, from its beginning, and what was
 * read before is passed over, in the same memory.
 */
import { Effect, Pull, Scope, Stream } from "effect";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import type { ByteSink } from "../parquet/ByteSink.ts";
import type { ParquetCodec } from "../parquet/ParquetCodec.ts";
import { ParquetEncoder, type ParquetPart } from "../parquet/ParquetEncoder.ts";
import { failWith } from "./failWith.ts";
import { type CompleteCsvOptions, type CsvOptions, withDefaults } from "./CsvOptions.ts";
import { CsvPass } from "./CsvPass.ts";
import type { CsvPart } from "./CsvReport.ts";
import { limitHeapGrowth } from "./heapGrowth.ts";
import { chunkBytesMax, sniffBytesMax } from "./Limits.ts";
import { makeMonthlyWriter, type MonthlySink, type MonthPart } from "./MonthlyWriter.ts";
import type { PassPosition } from "./PassPosition.ts";
import { passReport } from "./passReport.ts";
import type { Reject } from "./Reject.ts";
import type { RowGroup } from "./RowGroupBuilder.ts";
import type { SeenRows } from "./SeenRows.ts";
import { makeSpillFile, type SpillFile } from "./SpillFile.ts";
import { rememberRows } from "./rememberRows.ts";

/** The file's bytes from one of them on. */
export type OpenBytes<E, R> = (fromByte: number) => Stream.Stream<Uint8Array, E, R>;

/** Where another pass has ended a part. */
export interface Resume<E, R> {
  readonly position: PassPosition;
  /** The hashes of all rows before, as `PartEnd` gave them, in any order. Needed for duplicates of the whole file only. */
  readonly hashes: Stream.Stream<Uint8Array, E, R>;
}

/** Where a part goes. */
export interface PartSinks<E, R> {
  /** Opens the Parquet file when the first row group comes. */
  readonly parquet: Effect.Effect<ByteSink<E, R>, E, R>;
  /** Instead of that file, one for each month of a column. @default none */
  readonly monthly?: MonthlySink<E, R> | undefined;
  /** Takes rejected rows, in line order. */
  readonly rejects: (rejects: ReadonlyArray<Reject>) => Effect.Effect<void, E, R>;
}

/** How a part ended. */
export interface PartEnd {
  /** Nothing when there was no row any more. A file without any row has one part without rows. */
  readonly part: CsvPart | undefined;
  /** The files that it consists of, where its rows go to months. */
  readonly months?: ReadonlyArray<MonthPart> | undefined;
  /** The hashes of its rows, when the options ask for them and another part may follow. */
  readonly hashes: Uint8Array | undefined;
  /** Where the next part begins; nothing when the file has ended. */
  readonly next: PassPosition | undefined;
}

/** Cuts large chunks, so that one of them never grows a parse step or a row group beyond its bound. */
const pieces = (chunk: Uint8Array, bytesMax = chunkBytesMax): ReadonlyArray<Uint8Array> => {
  if (chunk.length <= bytesMax) return [chunk];
  const count = Math.ceil(chunk.length / bytesMax);
  return Array.from({ length: count }, (_, index) =>
    chunk.subarray(index * bytesMax, (index + 1) * bytesMax),
  );
};

/** Reads the file's beginning, up to its columns. */
export const readOpening = Effect.fnUntraced(function* <E, R>(
  options: CompleteCsvOptions,
  open: OpenBytes<E, R>,
) {
  const opening = new CsvPass({
    ...options,
    duplicates: "none",
    keepHashes: false,
    partRowsMax: Number.POSITIVE_INFINITY,
    rejectedRowsKept: 0,
    rejectedShareMax: 1,
    rejectedRowsMax: Number.POSITIVE_INFINITY,
  });
  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  yield* inflated(options.source, open(0), options, figures).pipe(
    Stream.flatMap((chunk) => Stream.fromIterable(pieces(chunk, sniffBytesMax))),
    Stream.takeUntilEffect((piece) =>
      Effect.map(failWith(opening.push(piece)), () => opening.groups !== undefined),
    ),
    Stream.runDrain,
  );
  if (opening.groups === undefined) yield* failWith(opening.end());
  return opening;
});

/** Moves full tables of row hashes to a temporary file of the scope. */
export const makeSpill = (pass: CsvPass, scope: Scope.Scope) => {
  let spilled: { readonly seen: SeenRows; readonly file: SpillFile } | undefined;
  return Effect.gen(function* () {
    const { seen } = pass;
    if (!seen.full) return;
    if (spilled?.seen !== seen)
      spilled = { seen, file: yield* Scope.provide(makeSpillFile, scope) };
    seen.spill(spilled.file);
  });
};

/** The file of one part, opened when its first group comes. */
const makePartWriter = <E, R>(
  {
    codec,
    encoder,
  }: { readonly codec: ParquetCodec; readonly encoder: typeof ParquetEncoder.Service },
  pass: CsvPass,
  index: number,
  sinks: PartSinks<E, R>,
) => {
  let file: ParquetPart<E, R> | undefined;
  let rows = 0;
  let rowGroups = 0;
  const open = Effect.gen(function* () {
    file ??= yield* encoder.open(pass.groups?.plan ?? [], yield* sinks.parquet, codec);
    return file;
  });
  return {
    write: Effect.fnUntraced(function* (
      groups: ReadonlyArray<RowGroup>,
      rejects: ReadonlyArray<Reject>,
    ) {
      if (rejects.length > 0) yield* sinks.rejects(rejects);
      for (const group of groups) {
        yield* (yield* open).writeRowGroup(group.columns, group.rows);
        for (const column of group.columns) if ("release" in column) column.release?.();
        rows += group.rows;
        rowGroups += 1;
      }
    }),
    finish: Effect.gen(function* () {
      // A file without rows still gets its one, empty, part.
      if (file === undefined && (pass.groups?.rows ?? 0) > 0)
        return { part: undefined, months: undefined };
      const { bytes } = yield* (yield* open).finish;
      return { part: { index, rows, rowGroups, bytes }, months: undefined };
    }),
  };
};

/** What writes a part: one file, or one for each month. */
const makeWriter = <E, R>(
  { codec, rowGroupRowsMax: rowsMax, source }: CompleteCsvOptions,
  encoder: typeof ParquetEncoder.Service,
  pass: CsvPass,
  index: number,
  sinks: PartSinks<E, R>,
) =>
  sinks.monthly === undefined
    ? makePartWriter({ codec, encoder }, pass, index, sinks)
    : makeMonthlyWriter(
        { codec, encoder, rowsMax, source },
        pass,
        index,
        sinks.monthly,
        sinks.rejects,
      );

/**
 * Begins a pass, at the file's beginning or where another pass has ended a part. What it holds goes with the scope.
 *
 * Fails:  CsvFailure - the file is invalid: permanent
 *         SpillFailed - no temporary disk space: worth a retry elsewhere
 *         E - whatever the source fails with
 */
export const openFilePass = Effect.fnUntraced(function* <E, R>(
  options: CsvOptions,
  open: OpenBytes<E, R>,
  resume?: Resume<E, R>,
) {
  yield* limitHeapGrowth;
  const encoder = yield* ParquetEncoder;
  const scope = yield* Scope.Scope;
  const complete = withDefaults(options);
  const pass = new CsvPass(complete);
  const spill = makeSpill(pass, scope);
  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  if (resume !== undefined) {
    pass.resume(yield* readOpening(complete, open), resume.position);
    yield* rememberRows(pass.seen, resume.hashes, spill);
  }
  const fromByte = resume?.position.byteOffset ?? 0;
  // In the middle of a file any bytes may stand, also those that an archive begins with.
  const text = fromByte > 0 ? open(fromByte) : inflated(options.source, open(0), complete, figures);
  const pull = yield* Stream.toPull(text);
  let waiting: ReadonlyArray<Uint8Array> = [];
  let isEnd = false;

  const advance = Effect.gen(function* () {
    if (waiting.length === 0) {
      const chunks = yield* pull.pipe(Pull.catchDone(() => Effect.undefined));
      waiting = chunks?.flatMap((chunk) => pieces(chunk)) ?? [];
    }
    const [piece, ...rest] = waiting;
    waiting = rest;
    isEnd = piece === undefined;
    yield* failWith(piece === undefined ? pass.end() : pass.push(piece));
    yield* spill;
  });

  /** Only a plain file can be read from a byte of it on. */
  const nextOf = ({ byteOffset, ...position }: PassPosition): PassPosition =>
    figures.compression === undefined && byteOffset !== undefined
      ? { ...position, byteOffset }
      : position;

  return {
    /** Goes on to the part's end, or the file's. */
    part: Effect.fnUntraced(function* <E2, R2>(index: number, sinks: PartSinks<E2, R2>) {
      const writer = makeWriter(complete, encoder, pass, index, sinks);
      for (;;) {
        const ended = pass.ended.shift();
        if (ended !== undefined) {
          yield* writer.write(ended.groups, ended.rejects);
          const written = yield* writer.finish;
          const hashes = ended.hashes && new Uint8Array(ended.hashes.buffer);
          return { ...written, hashes, next: nextOf(ended.position) };
        }
        const { groups, rejects } = pass.take();
        yield* writer.write(groups, rejects);
        if (isEnd) return { ...(yield* writer.finish), hashes: undefined, next: undefined };
        yield* advance;
      }
    }),
    /** What became of all rows, once the file has ended. */
    report: Effect.fnUntraced(function* (parts: ReadonlyArray<CsvPart>) {
      // A pass that ended well has read a header, so there is a report.
      const told = yield* Effect.fromNullishOr(passReport(pass, encoder.name, parts)).pipe(
        Effect.orDie,
      );
      const leftOut = pass.rowsRejected - complete.rejectedRowsKept;
      const { bytes, compression } = figures;
      return {
        ...told,
        ...(compression !== undefined && { compressed: { compression, bytes } }),
        ...(leftOut > 0 && { rejectsLeftOut: leftOut }),
      };
    }),
  };
});
