/**
 * The work on one object, as steps of a body: any workflow may run them, in a function or in a task.
 *
 *   steps with a table          `references`: which version of each table is read, in whatever step
 *   a file that fits in one part   `transform`: one object, `<name>.parquet`
 *   a larger one                   `part-00001`, `part-00002`, ...: 500,000 rows each; `manifest`, which makes the parts a
 *                                  dataset; `tidy`, which removes what was kept for a crash
 *   the same, asked for DuckDB     `duckdb`: all parts in one step; what it leaves goes on as above
 *   outputs of a dataset           `register`: the month's partition, in its catalog; all months' where a column of the rows
 *                                  tells them: such a file is written in parts, however small, for the manifest's sake
 *   an invalid larger one          `discard`: what its parts left is removed, so that nothing half-written is visible
 *
 * Which of the two a file is follows from its size and name in the event alone, so every run decides the same. A process
 * that dies, or is told to stop, repeats one part at most.
 */
import { FailureHandler, type ObjectCreated, Retry, WriteFailure } from "@millrace/core";
import { Context, Effect, Schema } from "effect";
import { Activity } from "effect/workflow";
import { CsvFailure } from "../csv/CsvFailure.ts";
import type { CsvReport } from "../csv/CsvReport.ts";
import { compressedFactor, partsAboveBytes } from "../csv/Limits.ts";
import { monthColumn } from "../dataset/partitionBy.ts";
import { registerDataset } from "../dataset/registerDataset.ts";
import { pinReferences } from "../steps/openSteps.ts";
import { outputColumns } from "../steps/planSteps.ts";
import { PinnedReference } from "../steps/Reference.ts";
import { CsvObjectFailure, transform, Transformed } from "./activities.ts";
import { type CsvPipelinePlan, placeOf } from "./CsvPipelineOptions.ts";
import { DuckDone } from "./DuckDone.ts";
import { LivePass } from "./LivePass.ts";
import {
  commitParts,
  discardParts,
  type OpenPass,
  type PartsJob,
  removeHashes,
  transformPart,
} from "./partActivities.ts";
import { PartDone } from "./PartDone.ts";

/** Whether a file is written in parts. */
export const isInParts = (
  { key, sizeBytes }: Pick<ObjectCreated, "key" | "sizeBytes">,
  plan: Pick<CsvPipelinePlan, "partsAboveBytes" | "dataset">,
): boolean => {
  if (monthColumn(plan.dataset) !== undefined) return true;
  const factor = /\.gz$/i.test(key) ? compressedFactor : 1;
  return sizeBytes * factor > (plan.partsAboveBytes ?? partsAboveBytes);
};

/** One pass over a file of any size, as a single step. */
export const transformWhole = ({ object, plan, processedAtEpochMs, references }: PartsJob) =>
  Activity.make({
    name: "transform",
    success: Transformed,
    error: CsvObjectFailure,
    execute: transform(object, processedAtEpochMs, plan, references),
  }).pipe(Retry.retryActivity());

const partName = (index: number): string => `part-${String(index).padStart(5, "0")}`;

const isInvalidFile = Schema.is(CsvFailure);

/** What is left behind is no failure of the file. */
const tidily = <R>(name: string, execute: Effect.Effect<void, WriteFailure, R>) =>
  Activity.make({
    name,
    error: WriteFailure,
    execute,
    annotations: name === "discard" ? Context.make(FailureHandler, true) : Context.empty(),
  }).pipe(
    Retry.retryActivity(),
    Effect.catch((error) => Effect.logWarning(`${name} failed`, error.message)),
  );

const commit = (
  job: PartsJob,
  done: ReadonlyArray<PartDone>,
  engine: NonNullable<CsvReport["engine"]>,
) =>
  Activity.make({
    name: "manifest",
    success: Transformed,
    error: CsvObjectFailure,
    execute: commitParts(job, done, engine),
  }).pipe(Retry.retryActivity());

/** Its code is read when it is asked for: most functions never do. */
const byDuckDb = (job: PartsJob) =>
  Effect.flatMap(
    Effect.promise(() => import("./duckActivity.ts")),
    ({ transformByDuckDb }) => transformByDuckDb(job),
  );

/** By DuckDB where it was asked for, else, and for what it leaves, part by part. */
const inParts = (job: PartsJob) =>
  Effect.gen(function* () {
    const column = monthColumn(job.plan.dataset);
    if (column !== undefined && job.plan.engine === "duckdb")
      return yield* byStream(job, {
        name: "stream",
        reason: `its rows go to the months of ${JSON.stringify(column)}`,
      });
    if (job.plan.engine !== "duckdb") return yield* byStream(job, { name: "stream" });
    const all = yield* Activity.make({
      name: "duckdb",
      success: DuckDone,
      error: CsvObjectFailure,
      execute: byDuckDb(job),
    }).pipe(Retry.retryActivity());
    if (all._tag === "Done") return yield* commit(job, all.parts, { name: "duckdb" });
    return yield* byStream(job, { name: "stream", reason: all.reason });
  });

const byStream = (job: PartsJob, engine: NonNullable<CsvReport["engine"]>) =>
  Effect.gen(function* () {
    const live = new LivePass<OpenPass>();
    const done: Array<PartDone> = [];
    const all = Effect.gen(function* () {
      do {
        const before = [...done];
        done.push(
          yield* Activity.make({
            name: partName(before.length + 1),
            success: PartDone,
            error: CsvObjectFailure,
            execute: transformPart(job, before, live),
          }).pipe(Retry.retryActivity()),
        );
      } while (done.at(-1)?.next !== undefined);
      return yield* commit(job, done, engine);
    });
    const transformed = yield* all.pipe(
      Effect.ensuring(live.close),
      Effect.tapError((error) =>
        isInvalidFile(error) && done.length > 0
          ? tidily("discard", discardParts(done))
          : Effect.void,
      ),
    );
    if (done.some(({ hashes }) => hashes !== undefined)) yield* tidily("tidy", removeHashes(done));
    return transformed;
  });

/** The step that makes the outputs part of a table, where they are to be. */
const register = ({ object, plan }: PartsJob, transformed: Transformed) =>
  plan.dataset === undefined
    ? Effect.void
    : Activity.make({
        name: "register",
        error: CsvObjectFailure,
        execute: registerDataset(
          { ...plan.dataset, ...placeOf(plan), table: plan.dataset.table },
          object,
          plan.columns &&
            outputColumns(
              plan.columns.map((column) => column.plan),
              plan.steps ?? [],
            ),
          transformed,
        ),
      }).pipe(Retry.retryActivity());

/** The step that says which version of each reference table is read, where there are any. */
export const chooseReferences = ({ steps = [] }: Pick<CsvPipelinePlan, "steps">) =>
  steps.every(({ step }) => step.reference === undefined)
    ? Effect.succeed([])
    : Activity.make({
        name: "references",
        success: Schema.Array(PinnedReference),
        error: CsvObjectFailure,
        execute: pinReferences(steps),
      }).pipe(Retry.retryActivity());

/** The steps from an object to its Parquet files. `processedAtEpochMs` is the execution's recorded start. */
export const transformParts = (
  object: ObjectCreated,
  processedAtEpochMs: number,
  plan: CsvPipelinePlan,
) =>
  Effect.gen(function* () {
    const references = yield* chooseReferences(plan);
    const job: PartsJob = { object, processedAtEpochMs, plan, references };
    const transformed = yield* isInParts(object, plan) ? inParts(job) : transformWhole(job);
    yield* register(job, transformed);
    return transformed;
  });
