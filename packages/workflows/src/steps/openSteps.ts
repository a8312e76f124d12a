/**
 * The effects of steps: their reference tables are pinned to a version once per execution, and read once per file and process.
 */
import {
  ObjectGone,
  ObjectDenied,
  ObjectChanged,
  type ObjectRef,
  ObjectStore,
  objectName,
  type ReadFailure,
} from "@millrace/core";
import { Effect, Stream } from "effect";
import { Buckets } from "../Buckets.ts";
import type { CsvFailure } from "../csv/CsvFailure.ts";
import { withDefaults } from "../csv/CsvOptions.ts";
import { CsvPass } from "../csv/CsvPass.ts";
import type { RowGroup } from "../csv/RowGroupBuilder.ts";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import { rowValues } from "../parquet/rowValues.ts";
import type { PlannedStep } from "./planSteps.ts";
import {
  type PinnedReference,
  referenceBytesMax,
  ReferenceInvalid,
  type ReferenceRows,
} from "./Reference.ts";
import type { OpenStep } from "./StepRunner.ts";

const mebibytes = referenceBytesMax / 1024 ** 2;

/** A table that is not there, or not for us, is no failure of the file. What may succeed later stays as it is. */
const asInvalid = (step: string, reference: string) => (failure: ReadFailure) =>
  failure instanceof ObjectGone ||
  failure instanceof ObjectDenied ||
  failure instanceof ObjectChanged
    ? new ReferenceInvalid({ step, reference, detail: failure.message })
    : failure;

/** The newest version of each table, for the history. */
export const pinReferences = Effect.fnUntraced(function* (steps: ReadonlyArray<PlannedStep>) {
  const store = yield* ObjectStore;
  const buckets = yield* Buckets;
  const pinned: Array<PinnedReference> = [];
  for (const { step } of steps) {
    if (step.reference === undefined) continue;
    const { bucket = "raw", key } = step.reference;
    const at = { bucket: buckets[bucket], key };
    const object = yield* store
      .newest(at)
      .pipe(Effect.mapError(asInvalid(step.name, `${at.bucket}/${key}`)));
    pinned.push({ step: step.name, object });
  }
  return pinned;
});

const rowsOf = ({ columns, rows }: RowGroup): ReferenceRows => {
  // The last two are those that every output has.
  const own = columns.slice(0, -2).map(rowValues);
  return Array.from({ length: rows }, (_, row) => own.map(({ values }) => values[row] ?? null));
};

/** Reads a table by the rules of any input; here a row that does not fit is one too many. */
const readReference = Effect.fnUntraced(function* ({ step, table }: PlannedStep, ref: ObjectRef) {
  const store = yield* ObjectStore;
  const source = objectName(ref);
  const invalid = (detail: string) =>
    new ReferenceInvalid({ step: step.name, reference: source, detail });
  const options = withDefaults({
    source,
    sourceFile: source,
    processedAtEpochMs: 0,
    columns: table,
    undeclaredColumns: "ignore",
    duplicates: "none",
    rejectedRowsMax: 0,
    inflatedBytesMax: referenceBytesMax,
  });
  const pass = new CsvPass(options);
  const taken = (failure: CsvFailure | undefined) =>
    failure === undefined ? Effect.void : Effect.fail(invalid(failure.message));
  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  const bytes = store.read(ref).pipe(Stream.mapError(asInvalid(step.name, source)));
  yield* inflated(source, bytes, options, figures).pipe(
    Stream.mapError((error) => ("source" in error ? invalid(error.message) : error)),
    Stream.runForEach((chunk) =>
      pass.bytesIn + chunk.length > referenceBytesMax
        ? Effect.fail(invalid(`it is larger than ${mebibytes} MiB`))
        : taken(pass.push(chunk)),
    ),
  );
  yield* taken(pass.end());
  return pass.take().groups.flatMap(rowsOf);
});

/** Opens a pipeline's steps for a file: the tables are those that were pinned. */
export const openSteps = Effect.fnUntraced(function* (
  steps: ReadonlyArray<PlannedStep>,
  pinned: ReadonlyArray<PinnedReference>,
) {
  const open: Array<OpenStep> = [];
  for (const planned of steps) {
    const { reads, step, table, writes } = planned;
    const ref = pinned.find((one) => one.step === step.name)?.object;
    if (step.reference !== undefined && ref === undefined)
      return yield* new ReferenceInvalid({
        step: step.name,
        reference: step.reference.key,
        detail: "the execution began before the pipeline had the step",
      });
    const rows = ref === undefined ? [] : yield* readReference(planned, ref);
    open.push({
      name: step.name,
      stage: step.stage,
      reads,
      writes,
      table,
      run: step.prepare(planned, rows),
      ...(ref !== undefined && { reference: { name: objectName(ref), rows: rows.length } }),
    });
  }
  return open;
});
