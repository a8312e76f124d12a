/**
 * The side effects of CsvToParquet: a look at the file's beginning, and the pass over all of it.
 */
import {
  CatalogFailure,
  Metrics,
  type ObjectCreated,
  ObjectStore,
  objectName,
  ReadFailure,
  Tasks,
  WriteFailure,
} from "@millrace/core";
import { Effect, Ref, Schema, Stream } from "effect";
import { Buckets } from "../Buckets.ts";
import { computeRulesOf } from "../compute/computeRulesOf.ts";
import { chooseCompute, ComputeChoice, withoutTask } from "../compute/chooseCompute.ts";
import { CsvFailure } from "../csv/CsvFailure.ts";
import { CsvReport } from "../csv/CsvReport.ts";
import { csvToParquet } from "../csv/csvToParquet.ts";
import { rejectsContentType } from "../csv/RejectsFile.ts";
import { parquetKey, rejectsKey } from "../csv/parquetKey.ts";
import { SpillFailed } from "../csv/SpillFile.ts";
import { CsvSniff, csvSniffBytesMax, sniffCsv } from "../csv/sniffCsv.ts";
import { checkKeys, Partition, PartitionKeyTaken } from "../dataset/Dataset.ts";
import { openInput } from "../openInput.ts";
import { LoopStopped } from "../outputMetadata.ts";
import { ParquetEncodingFailed } from "../parquet/ParquetEncoder.ts";
import { openSteps } from "../steps/openSteps.ts";
import { type PinnedReference, ReferenceInvalid } from "../steps/Reference.ts";
import { pipelines } from "../topology.ts";
import { type CsvPipelinePlan, placeOf } from "./CsvPipelineOptions.ts";

/** Why an object cannot become Parquet. */
export const CsvObjectFailure = Schema.Union([
  ...CsvFailure.members,
  ...ReadFailure.members,
  ...WriteFailure.members,
  ParquetEncodingFailed,
  SpillFailed,
  LoopStopped,
  ...CatalogFailure.members,
  PartitionKeyTaken,
  ReferenceInvalid,
]);

/** Where the results lie, and what became of the rows. */
export const Transformed = Schema.Struct({
  outputs: Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  /** The rejected rows, when there are any. */
  rejects: Schema.optionalKey(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  /** The document that makes the parts of a large file one dataset. */
  manifest: Schema.optionalKey(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  /** The rejected rows of a large file, by part. */
  rejectsByPart: Schema.optionalKey(
    Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  ),
  /** The months that have got rows, where a column tells them. */
  partitions: Schema.optionalKey(Schema.Array(Partition)),
  report: CsvReport,
});
export type Transformed = typeof Transformed.Type;

/** What the file is, and where it goes. */
export const Looked = Schema.Struct({
  ...CsvSniff.fields,
  route: Schema.optionalKey(ComputeChoice),
});

/** Reads the beginning of the object and refuses what cannot be a CSV file, or has no place in the dataset. */
export const sniffObject = Effect.fnUntraced(function* (
  object: ObjectCreated,
  processedAtEpochMs: number,
  plan: CsvPipelinePlan,
) {
  const { body } = yield* openInput(object, { bytesMax: csvSniffBytesMax });
  const chunks = yield* Stream.runCollect(body);
  const source = objectName(object);
  const sniff = yield* sniffCsv(
    { ...plan, source, sourceFile: source, processedAtEpochMs },
    { first: Buffer.concat(chunks), bytes: object.sizeBytes },
  );
  yield* Effect.fromResult(checkKeys(plan.dataset, sniff.columns));
  return sniff;
}, Effect.scoped);

/** The same, and chooses where the rest of it is read. */
export const look = Effect.fnUntraced(function* (
  object: ObjectCreated,
  processedAtEpochMs: number,
  plan: CsvPipelinePlan,
) {
  const sniff = yield* sniffObject(object, processedAtEpochMs, plan);
  return { ...sniff, route: yield* routeOf(object) };
});

const routeOf = Effect.fnUntraced(function* ({ sizeBytes: bytes }: ObjectCreated) {
  const { isAvailable } = yield* Tasks;
  const rules = yield* computeRulesOf(pipelines.csvToParquet);
  const choice = chooseCompute({ bytes }, rules);
  return isAvailable ? choice : withoutTask(choice);
});

/** Streams the object through the pass; the outputs become visible when the pass has ended well, and only then. */
export const transform = Effect.fnUntraced(function* (
  object: ObjectCreated,
  processedAtEpochMs: number,
  plan: CsvPipelinePlan,
  references: ReadonlyArray<PinnedReference>,
) {
  const store = yield* ObjectStore;
  const { clean } = yield* Buckets;
  const rowSteps = yield* openSteps(plan.steps ?? [], references);
  const source = objectName(object);
  const input = yield* openInput(object);
  const named = { ...object, ...placeOf(plan) };
  const key = parquetKey(named);
  const open = (target: string, contentType: string) =>
    store.writer({ bucket: clean, key: target, contentType, metadata: input.metadata });
  const part = yield* open(key, "application/vnd.apache.parquet");
  const rejectsAt = rejectsKey(named, plan.rejectsFormat);
  const rejects = yield* Ref.make(false);
  const rejectsWriter = yield* Effect.cached(
    open(rejectsAt, rejectsContentType[plan.rejectsFormat]),
  );

  const report = yield* csvToParquet(
    { ...plan, rowSteps, source, sourceFile: source, processedAtEpochMs },
    input.body,
    {
      part: () => Effect.succeed(part.write),
      endPart: () => Effect.void,
      rejects: Effect.fnUntraced(function* (bytes: Uint8Array) {
        yield* Ref.set(rejects, true);
        yield* (yield* rejectsWriter).write(bytes);
      }),
    },
  );
  const hasRejects = yield* Ref.get(rejects);
  if (hasRejects) yield* (yield* rejectsWriter).complete;
  yield* part.complete;
  yield* Metrics.countWork(report);
  return {
    outputs: [{ bucket: clean, key }],
    ...(hasRejects && { rejects: { bucket: clean, key: rejectsAt } }),
    report,
  };
}, Effect.scoped);
