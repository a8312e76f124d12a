/**
 * The work on one object, as steps of a body: any workflow may run them, in a function or in a task.
 *
 *   steps with a table          `references`: which version of each table is read, in whatever step
 *   a file that fits in one part   `transform`: one object, `<name>.parquet`
 *   a larger one                   `part-00001`, `part-00002`, ...: 500,000 rows each; `manifest`, which makes the parts a
 *                                  dataset; `tidy`, which removes what was kept for a crash
 *   the same, by DuckDB            `duckdb-00001`, ...; a file that it leaves begins anew as above
 *   outputs of a dataset           `register`: the month's partition, in its catalog; all months' where a column of the rows
 *                                  tells them: such a file is written in parts, however small, for the manifest's sake
 *   an invalid larger one          `discard`: what its parts left is removed, so that nothing half-written is visible
 *
 * Which of the two a file is follows from its size and name in the event alone, so every run decides the same. A process
 * that dies, or is told to stop, repeats one part at most.
 */
import {
  FailureHandler,
  makeActivity,
  type ObjectCreated,
  Retry,
  Undoes,
  WriteFailure,
} from "@millrace/core";
import { Context, Effect, Result, Schema } from "effect";
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
import type { OpenDuckPass, transformPartByDuckDb } from "./duckActivity.ts";
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
  makeActivity({
    name: "transform",
    success: Transformed,
    error: CsvObjectFailure,
    execute: transform(object, processedAtEpochMs, plan, references),
  }).pipe(Retry.retryActivity());

/** Name of the step that writes a part, from 1. */
type NameOfPart = (index: number) => string;

const padded = (index: number): string => String(index).padStart(5, "0");
const partName: NameOfPart = (index) => `part-${padded(index)}`;
const duckName: NameOfPart = (index) => `duckdb-${padded(index)}`;

const isInvalidFile = Schema.is(CsvFailure);

/** What is left behind is no failure of the file. */
const tidily = <R>(
  name: string,
  execute: Effect.Effect<void, WriteFailure, R>,
  annotations: Context.Context<never> = Context.empty(),
) =>
  makeActivity({ name, error: WriteFailure, execute, annotations }).pipe(
    Retry.retryActivity(),
    Effect.catch((error) => Effect.logWarning(`${name} failed`, error.message)),
  );

type Engine = NonNullable<CsvReport["engine"]>;

const commit = (job: PartsJob, done: ReadonlyArray<PartDone>, engine: Engine) =>
  makeActivity({
    name: "manifest",
    success: Transformed,
    error: CsvObjectFailure,
    execute: commitParts(job, done, engine),
  }).pipe(Retry.retryActivity());

/** Its code is read when it is asked for: most functions never do, and theirs have none (stacks/bundling/options.ts). */
const byDuckDb = (
  job: PartsJob,
  before: ReadonlyArray<PartDone>,
  live: LivePass<OpenDuckPass>,
): ReturnType<typeof transformPartByDuckDb> =>
  Effect.tryPromise({
    try: () => import("./duckActivity.ts"),
    catch: (cause): DuckDone => ({
      _tag: "Left",
      reason: `the DuckDB engine cannot be loaded: ${String(cause)}`,
    }),
  }).pipe(
    Effect.result,
    Effect.flatMap((read) =>
      Result.isFailure(read)
        ? Effect.as(Effect.logWarning(read.failure), read.failure)
        : read.success.transformPartByDuckDb(job, before, live),
    ),
  );

/** By DuckDB where it was asked for, else, and for what it leaves, part by part by the stream engine. */
const inParts = (job: PartsJob) =>
  Effect.gen(function* () {
    const column = monthColumn(job.plan.dataset);
    if (column !== undefined && job.plan.engine === "duckdb")
      return yield* byStream(job, {
        name: "stream",
        reason: `its rows go to the months of ${JSON.stringify(column)}`,
      });
    if (job.plan.engine !== "duckdb") return yield* byStream(job, { name: "stream" });
    const live = new LivePass<OpenDuckPass>();
    let left: string | undefined;
    const done = yield* partByPart(live, duckName, (before) =>
      Effect.gen(function* () {
        const one = yield* makeActivity({
          name: duckName(before.length + 1),
          success: DuckDone,
          error: CsvObjectFailure,
          execute: byDuckDb(job, before, live),
        }).pipe(Retry.retryActivity());
        if (one._tag === "Done") return one.part;
        left = one.reason;
        return undefined;
      }),
    );
    return left === undefined
      ? yield* finish(job, done, duckName, { name: "duckdb" })
      : yield* byStream(job, { name: "stream", reason: left });
  });

const byStream = (job: PartsJob, engine: Engine) =>
  Effect.gen(function* () {
    const live = new LivePass<OpenPass>();
    const done = yield* partByPart(live, partName, (before) =>
      makeActivity({
        name: partName(before.length + 1),
        success: PartDone,
        error: CsvObjectFailure,
        execute: transformPart(job, before, live),
      }).pipe(Retry.retryActivity()),
    );
    return yield* finish(job, done, partName, engine);
  });

/** Takes part after part, until none follows; an invalid file's are removed. */
const partByPart = <P, E, R>(
  live: LivePass<P>,
  nameOf: NameOfPart,
  next: (before: ReadonlyArray<PartDone>) => Effect.Effect<PartDone | undefined, E, R>,
) => {
  const done: Array<PartDone> = [];
  return Effect.gen(function* () {
    do {
      const part = yield* next([...done]);
      if (part === undefined) break;
      done.push(part);
    } while (done.at(-1)?.next !== undefined);
    return done;
  }).pipe(Effect.ensuring(live.close), discardInvalid(done, nameOf));
};

/** What the parts of an invalid file wrote is removed; a redrive then begins with the first again. */
const discardInvalid =
  (done: ReadonlyArray<PartDone>, nameOf: NameOfPart) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.tapError(effect, (error) => {
      if (!isInvalidFile(error) || done.length === 0) return Effect.void;
      const names = done.map((_, index) => nameOf(index + 1));
      const about = Context.make(FailureHandler, true).pipe(Context.add(Undoes, names));
      return tidily("discard", discardParts(done), about);
    });

/** The manifest; what was kept for a crash goes then. */
const finish = (job: PartsJob, done: ReadonlyArray<PartDone>, nameOf: NameOfPart, engine: Engine) =>
  Effect.gen(function* () {
    const transformed = yield* commit(job, done, engine).pipe(discardInvalid(done, nameOf));
    if (done.some(({ hashes }) => hashes !== undefined)) yield* tidily("tidy", removeHashes(done));
    return transformed;
  });

/** The step that makes the outputs part of a table, where they are to be. */
const register = ({ object, plan }: PartsJob, transformed: Transformed) =>
  plan.dataset === undefined
    ? Effect.void
    : makeActivity({
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
    : makeActivity({
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
