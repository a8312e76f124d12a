/**
 * The side effects of a large file's parts: one part, the manifest that makes them a dataset, and what is tidied up.
 *
 * Each part is visible whole, and none of them counts before the manifest is there.
 */
import { Metrics, type ObjectCreated, ObjectStore, objectName } from "@millrace/core";
import { Effect, Schema, Scope, Stream } from "effect";
import { Buckets } from "../Buckets.ts";
import { withDefaults } from "../csv/CsvOptions.ts";
import type { CsvPart, CsvReport } from "../csv/CsvReport.ts";
import { openFilePass, type PartEnd } from "../csv/FilePass.ts";
import type { MonthPart } from "../csv/MonthlyWriter.ts";
import { partRowsMax } from "../csv/Limits.ts";
import { partKeys } from "../csv/parquetKey.ts";
import type { Partition } from "../dataset/Dataset.ts";
import { monthColumn } from "../dataset/partitionBy.ts";
import { makeRejectsEncoder, rejectsContentType } from "../csv/RejectsFile.ts";
import type { Reject } from "../csv/Reject.ts";
import { openInput } from "../openInput.ts";
import { openSteps } from "../steps/openSteps.ts";
import type { PinnedReference } from "../steps/Reference.ts";
import type { Transformed } from "./activities.ts";
import { type CsvPipelinePlan, placeOf } from "./CsvPipelineOptions.ts";
import type { LivePass } from "./LivePass.ts";
import { Manifest } from "./Manifest.ts";
import { filesOf, type PartDone, type Written } from "./PartDone.ts";

/** One large file's work, the same for all of its parts. */
export interface PartsJob {
  readonly object: ObjectCreated;
  readonly processedAtEpochMs: number;
  readonly plan: CsvPipelinePlan;
  /** The versions of the reference tables that its steps read. */
  readonly references: ReadonlyArray<PinnedReference>;
}

const parquetType = "application/vnd.apache.parquet";

/** Where its parts go. */
const keysOf = ({ object, plan }: PartsJob) => partKeys({ ...object, ...placeOf(plan) });

/** How the file is read. */
export const optionsOf = ({ object, plan, processedAtEpochMs }: PartsJob) => {
  const {
    dataset: _dataset,
    duckDb: _limits,
    engine: _engine,
    steps: _steps,
    partRows = partRowsMax,
    ...options
  } = plan;
  const source = objectName(object);
  const isWhole = withDefaults({ ...options, source, sourceFile: source, processedAtEpochMs });
  return {
    ...isWhole,
    partRowsMax: partRows,
    keepHashes: isWhole.duplicates === "file",
  };
};

/** The hashes that the parts before have left. */
export const hashesOf = (before: ReadonlyArray<PartDone>) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const store = yield* ObjectStore;
      const { clean } = yield* Buckets;
      return Stream.fromIterable(before).pipe(
        Stream.flatMap(({ hashes }) =>
          hashes === undefined ? Stream.empty : store.read({ bucket: clean, ...hashes }),
        ),
      );
    }),
  );

/** The object's bytes from one of them on. */
export const bytesOf = (object: ObjectCreated) => (fromByte: number) =>
  fromByte > 0 && fromByte >= object.sizeBytes
    ? Stream.empty
    : Stream.unwrap(Effect.map(openInput(object, { fromByte }), ({ body }) => body));

/** Opens the file where the part begins. */
const openPass = Effect.fnUntraced(function* (job: PartsJob, before: ReadonlyArray<PartDone>) {
  const { object } = job;
  const position = before.at(-1)?.next;
  const { metadata } = yield* Effect.scoped(openInput(object, { bytesMax: 1 }));
  const bytes = bytesOf(object);
  const rowSteps = yield* openSteps(job.plan.steps ?? [], job.references);
  const pass = yield* openFilePass(
    { ...optionsOf(job), rowSteps },
    bytes,
    position && { position, hashes: hashesOf(before) },
  );
  return { metadata, pass };
});

/** A pass that is open, and the metadata of what is written from it. */
export type OpenPass = Effect.Success<ReturnType<typeof openPass>>;

/** An object that is written only if there is something to write. */
const lazyObject = Effect.fnUntraced(function* (
  key: string,
  contentType: string,
  metadata: Readonly<Record<string, string>>,
) {
  const store = yield* ObjectStore;
  const scope = yield* Scope.Scope;
  const { clean } = yield* Buckets;
  let begun = false;
  const writer = yield* Effect.cached(
    Effect.suspend(() => {
      begun = true;
      return store.writer({ bucket: clean, key, contentType, metadata });
    }),
  );
  return {
    write: (bytes: Uint8Array) =>
      Effect.flatMap(writer, (open) => open.write(bytes)).pipe(Scope.provide(scope)),
    complete: Effect.suspend(() =>
      begun
        ? Effect.flatMap(writer, (open) => open.complete).pipe(
            Effect.map(({ etag }): Written => ({ key, etag })),
            Scope.provide(scope),
          )
        : Effect.undefined,
    ),
  };
});

/** The objects of a part's months, where a column tells them. */
const monthObjects = (job: PartsJob, index: number, metadata: Readonly<Record<string, string>>) => {
  const keys = keysOf(job);
  const column = monthColumn(job.plan.dataset);
  const objects = new Map<string, Effect.Success<ReturnType<typeof lazyObject>>>();
  const open = Effect.fnUntraced(function* (partition: Partition) {
    const key = keys.inMonth(partition, index);
    const object = yield* lazyObject(key, parquetType, metadata);
    objects.set(key, object);
    return object.write;
  });
  return {
    monthly: column === undefined ? undefined : { column, open },
    complete: (months: ReadonlyArray<MonthPart>) =>
      Effect.forEach(
        months,
        Effect.fnUntraced(function* ({ bytes, partition, rows }) {
          const written = yield* (
            objects.get(keys.inMonth(partition, index))?.complete ?? Effect.undefined
          );
          return written === undefined ? [] : [{ partition, parquet: written, rows, bytes }];
        }),
        { concurrency: 8 },
      ).pipe(Effect.map((all) => all.flat())),
  };
};

/** The objects of one part. */
const openObjects = Effect.fnUntraced(function* (
  job: PartsJob,
  index: number,
  metadata: Readonly<Record<string, string>>,
) {
  const keys = keysOf(job);
  const { rejectsFormat } = job.plan;
  const parquet = yield* lazyObject(keys.parquet(index), parquetType, metadata);
  const rejects = yield* lazyObject(
    keys.rejects(index, rejectsFormat),
    rejectsContentType[rejectsFormat],
    metadata,
  );
  const hashes = yield* lazyObject(keys.hashes(index), "application/octet-stream", metadata);
  const encode = makeRejectsEncoder(rejectsFormat);
  const months = monthObjects(job, index, metadata);
  const sinks = {
    parquet: Effect.succeed(parquet.write),
    monthly: months.monthly,
    rejects: (rows: ReadonlyArray<Reject>) => rejects.write(encode(rows)),
  };
  return { parquet, months, rejects, hashes, sinks };
});

type Sinks = Effect.Success<ReturnType<typeof openObjects>>["sinks"];

/** What a pass of either engine does for a part. */
interface PartPass<E, R> {
  readonly metadata: Readonly<Record<string, string>>;
  readonly part: (index: number, sinks: Sinks) => Effect.Effect<PartEnd, E, R>;
  readonly report: (parts: ReadonlyArray<CsvPart>) => Effect.Effect<CsvReport>;
}

/** Writes the next part of an open pass, and says whether another follows. */
export const writePart = Effect.fnUntraced(function* <E, R>(
  job: PartsJob,
  before: ReadonlyArray<PartDone>,
  { metadata, part: run, report }: PartPass<E, R>,
) {
  const index = before.length + 1;
  const objects = yield* openObjects(job, index, metadata);
  const { hashes, months, next, part } = yield* run(index, objects.sinks);
  if (hashes !== undefined) yield* objects.hashes.write(hashes);
  const parts = [...before, { part }].flatMap((one) => one.part ?? []);
  const written = {
    parquet: yield* objects.parquet.complete,
    months: yield* objects.months.complete(months ?? []),
    rejects: yield* objects.rejects.complete,
    hashes: yield* objects.hashes.complete,
    report: next === undefined ? yield* report(parts) : undefined,
  };
  const result: PartDone = {
    ...(part !== undefined && { part }),
    ...(written.parquet !== undefined && { parquet: written.parquet }),
    ...(written.months.length > 0 && { months: written.months }),
    ...(written.rejects !== undefined && { rejects: written.rejects }),
    ...(written.hashes !== undefined && { hashes: written.hashes }),
    ...(next !== undefined && { next }),
    ...(written.report !== undefined && { report: written.report }),
  };
  return { result, more: next !== undefined };
}, Effect.scoped);

/** Writes the next part. */
export const transformPart = (
  job: PartsJob,
  before: ReadonlyArray<PartDone>,
  live: LivePass<OpenPass>,
) =>
  live.use(before.length + 1, openPass(job, before), ({ metadata, pass }) =>
    writePart(job, before, {
      metadata,
      part: (index, sinks) => pass.part(index, sinks),
      report: pass.report,
    }),
  );

const encodeManifest = Schema.encodeEffect(Schema.fromJsonString(Manifest));

/** Writes the manifest, when every part is there; from then on the parts are a dataset. */
export const commitParts = Effect.fnUntraced(function* (
  job: PartsJob,
  done: ReadonlyArray<PartDone>,
  engine: NonNullable<CsvReport["engine"]>,
) {
  const store = yield* ObjectStore;
  const { clean } = yield* Buckets;
  const key = keysOf(job).manifest;
  const told = yield* Effect.fromNullishOr(done.at(-1)?.report).pipe(Effect.orDie);
  const report: CsvReport = { ...told, engine };
  const at = (written: Written) => ({ bucket: clean, key: written.key });
  const { metadata } = yield* Effect.scoped(openInput(job.object, { bytesMax: 1 }));
  // The parts of a file that was refused are gone, and another version of the file may have written its own: neither may
  // become a dataset with the rest. The ETag is that of the bytes (buckets with S3's own keys), so that a part that was
  // written once more, by a request that came late, is the same.
  const files = done.flatMap(filesOf);
  yield* Effect.forEach(
    files,
    ({ written }) => Stream.runDrain(store.read({ bucket: clean, ...written }, { bytesMax: 1 })),
    { concurrency: 8, discard: true },
  );
  const manifest = Manifest.make({
    version: 1,
    source: objectName(job.object),
    processedAtEpochMs: job.processedAtEpochMs,
    engine: engine.name,
    columns: report.columns,
    rows: report.rowsOut,
    rowsIn: report.rowsIn,
    rowsRejected: report.rowsRejected,
    duplicates: report.duplicates,
    blankRows: report.blankRows,
    bytes: report.bytesOut,
    parts: files.map(({ written, ...figures }) => ({ key: written.key, ...figures })),
    rejects: done.flatMap(({ rejects }) => rejects?.key ?? []),
  });
  yield* store.put(
    { bucket: clean, key, contentType: "application/json", metadata },
    `${yield* Effect.orDie(encodeManifest(manifest))}\n`,
  );
  yield* Metrics.countWork(report);
  const rejectsByPart = done.flatMap(({ rejects }) => (rejects === undefined ? [] : [at(rejects)]));
  const transformed: Transformed = {
    outputs: files.map(({ written }) => at(written)),
    ...(monthColumn(job.plan.dataset) !== undefined && { partitions: partitionsOf(done) }),
    ...(rejectsByPart.length > 0 && { rejectsByPart }),
    manifest: { bucket: clean, key },
    report,
  };
  return transformed;
});

/** The months that have got rows, each once. */
const partitionsOf = (done: ReadonlyArray<PartDone>): ReadonlyArray<Partition> => [
  ...new Map(
    done
      .flatMap(({ months = [] }) => months)
      .map(({ partition }) => [`${partition.year}/${partition.month}`, partition] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ).values(),
];

/** Removes the hashes of rows, which nobody needs any more. */
export const removeHashes = Effect.fnUntraced(function* (done: ReadonlyArray<PartDone>) {
  yield* removeAll(done.flatMap(({ hashes }) => hashes ?? []));
});

/** Removes all that the parts of an invalid file have left. */
export const discardParts = Effect.fnUntraced(function* (done: ReadonlyArray<PartDone>) {
  yield* removeAll(
    done.flatMap((part) => [
      ...[part.hashes, part.rejects].flatMap((one) => one ?? []),
      ...filesOf(part).map(({ written }) => written),
    ]),
  );
});

/** Removes objects that were written. */
const removeAll = Effect.fnUntraced(function* (written: ReadonlyArray<Written>) {
  const store = yield* ObjectStore;
  const { clean } = yield* Buckets;
  yield* Effect.forEach(written, ({ key }) => store.remove({ bucket: clean, key }), {
    concurrency: 8,
    discard: true,
  });
});
