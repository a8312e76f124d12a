/**
 * Compares what lies in the stores with what the uploads must have become. Pure.
 */
import { Schema } from "effect";
import type { Told, Written } from "./readStores.ts";
import type { SoakUpload } from "./uploadAll.ts";

/** What was read after all had ended. */
export interface Stores {
  readonly journal: ReadonlyMap<string, Told>;
  readonly rows: ReadonlyMap<
    string,
    { readonly commit: number; readonly status: string; readonly result?: unknown }
  >;
  readonly outputs: ReadonlyMap<string, ReadonlyArray<Written>>;
  /** Executions with a dead letter, each letter named. */
  readonly deadLetters: ReadonlyArray<string>;
}

export interface Judgement {
  readonly completed: number;
  readonly failed: number;
  readonly ignored: number;
  readonly inFlight: number;
  readonly deadLettered: number;
  readonly startsPerUpload: number;
  readonly violations: ReadonlyArray<string>;
}

const Outputs = Schema.Union([
  Schema.Struct({
    outputs: Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  }),
  Schema.Struct({
    bucket: Schema.String,
    sizes: Schema.Array(Schema.Struct({ key: Schema.String })),
  }),
]);
const isOutputs = Schema.is(Outputs);

/** Where an execution says that its outputs lie, as `bucket/key`; nothing when it does not say. */
const outputsOf = (result: unknown): ReadonlyArray<string> | undefined => {
  if (!isOutputs(result)) return undefined;
  return "outputs" in result
    ? result.outputs.map(({ bucket, key }) => `${bucket}/${key}`)
    : result.sizes.map(({ key }) => `${result.bucket}/${key}`);
};

/** Outputs that were written more than once with other bytes. */
const rewritten = (outputs: Stores["outputs"]): ReadonlyArray<string> =>
  [...outputs].flatMap(([name, versions]) => {
    const etags = new Set(versions.map(({ etag }) => etag));
    return etags.size > 1 ? [`${name}: ${versions.length} versions that differ`] : [];
  });

const judgeExecution = (
  { journal, outputs, rows }: Stores,
  executionId: string,
  expected: SoakUpload["fate"] | undefined,
): ReadonlyArray<string> => {
  const told = journal.get(executionId);
  const row = rows.get(executionId);
  if (!told) return [];
  const wrong = [...told.wrong];
  if (expected === undefined) wrong.push("nobody has uploaded it");
  else if (expected === "ignored") wrong.push("no pipeline wants it");
  else if (told.status !== expected) wrong.push(`is ${told.status}, and not ${expected}`);
  if (row?.status !== told.status || row.commit !== told.commits) {
    wrong.push(`its row tells of ${row?.status} at commit ${row?.commit}, not ${told.commits}`);
  }
  if (told.status === "completed") {
    const named = outputsOf(row?.result);
    if (!named || named.length === 0) wrong.push("names no outputs");
    for (const name of named ?? []) if (!outputs.has(name)) wrong.push(`${name} is not there`);
  }
  return wrong.map((what) => `${told.subject}: ${what}`);
};

/** Every difference, as a sentence. */
export const judge = (uploads: ReadonlyArray<SoakUpload>, stores: Stores): Judgement => {
  const fates = new Map(uploads.map(({ fate, subject }) => [subject, fate]));
  const told = [...stores.journal.values()];
  const known = new Set(told.map(({ subject }) => subject));
  const wanted = uploads.filter(({ fate }) => fate !== "ignored");
  const completed = told.filter(({ status }) => status === "completed").length;
  const failed = told.filter(({ status }) => status === "failed").length;
  const ignored = uploads.filter(({ subject }) => !known.has(subject)).length;
  const inFlight = told.length - completed - failed;
  const starts = told.reduce((sum, one) => sum + one.starts, 0);

  const violations = [...stores.journal.keys()].flatMap((id) =>
    judgeExecution(stores, id, fates.get(stores.journal.get(id)?.subject ?? "")),
  );
  violations.push(...rewritten(stores.outputs));
  for (const { subject } of wanted) {
    if (!known.has(subject)) violations.push(`${subject}: has no execution`);
  }
  if (completed + failed + ignored !== uploads.length || inFlight !== 0) {
    violations.push(
      `conservation: ${uploads.length} uploads, ${completed} completed, ${failed} failed, ${ignored} ignored, ${inFlight} in flight`,
    );
  }
  const named = new Set([...stores.rows.values()].flatMap(({ result }) => outputsOf(result) ?? []));
  const written = [...stores.outputs.keys()].filter((name) => !isQuarantine(name));
  for (const name of written) if (!named.has(name)) violations.push(`${name}: nobody names it`);

  const letters = new Set(stores.deadLetters);
  for (const [executionId, { status, subject }] of stores.journal) {
    const isThere = letters.has(executionId);
    if (isThere !== (status === "failed")) {
      violations.push(`${subject}: is ${status}, and has ${isThere ? "a" : "no"} dead letter`);
    }
  }
  for (const letter of letters) {
    if (!stores.journal.has(letter)) violations.push(`a dead letter of nobody: ${letter}`);
  }
  return {
    completed,
    failed,
    ignored,
    inFlight,
    deadLettered: letters.size,
    startsPerUpload: wanted.length === 0 ? 0 : Number((starts / wanted.length).toFixed(3)),
    violations,
  };
};

/** The copies of broken files are named by no result. */
const isQuarantine = (name: string): boolean => name.startsWith("millrace-errors/");
