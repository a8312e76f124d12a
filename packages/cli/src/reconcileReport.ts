/**
 * What a reconciliation found, for people: counts, the first of each kind, and the commands that put them right.
 */
import { type Operations } from "@millrace/core";
import type { Comparison } from "@millrace/workflows/compareBuckets";
import { pipelinesNamed } from "./triggered.ts";

/** The kinds of findings. */
export type FindingKind =
  | "objectsWithoutExecution"
  | "executionsWithoutObject"
  | "completedWithoutOutput"
  | "outputsWrittenByOthers"
  | "outputsWithoutEnd"
  | "openTooLong"
  | "rowsLost";

/** Commands that put right what was found, by kind. */
export type Fixes = Readonly<Record<FindingKind, ReadonlyArray<string>>>;

const makeAgain = ({ executionId }: { readonly executionId: string }): string =>
  `millrace fork ${executionId} --after-event 1 --label reconcile`;
/** The name of the file that an output is made of, as far as the output's tells. */
const fileOf = (key: string): string =>
  key.slice(key.lastIndexOf("/") + 1).replace(/(?:\.rejects)?\.(?:parquet|ndjson|csv)$/, "");
const look = ({ executionId }: { readonly executionId: string }): string =>
  `millrace show ${executionId}`;

/** The commands; one for many findings where there is such a one. */
export const fixesOf = (found: Comparison): Fixes => {
  const pipelines = new Set(found.objectsWithoutExecution.map(({ pipeline }) => pipeline));
  return {
    objectsWithoutExecution: [...pipelines].map((name) => {
      const one = found.objectsWithoutExecution.find(({ pipeline }) => pipeline === name);
      const prefix = pipelinesNamed(name)[0]?.trigger.prefix ?? "";
      return `millrace backfill s3://${one?.bucket ?? ""}/${prefix} --pipeline ${name}`;
    }),
    // An object that a lifecycle rule has removed was meant to go: there is nothing to put right.
    executionsWithoutObject: found.executionsWithoutObject.map(look),
    completedWithoutOutput: found.completedWithoutOutput.map(makeAgain),
    outputsWrittenByOthers: found.outputsWrittenByOthers.map(makeAgain),
    // Who wrote it is looked for by its name: the history of its input says whether anything is missing.
    outputsWithoutEnd: found.outputsWithoutEnd.map(({ key }) => `millrace where ${fileOf(key)}`),
    openTooLong: found.openTooLong.map((one) =>
      one.detail.startsWith("parked") ? `millrace redrive ${one.executionId}` : look(one),
    ),
    rowsLost: found.rowsLost.map(look),
  };
};

/** Findings of one kind that are printed. */
const printedMax = 10;

/** The report as lines. */
export const renderReconciliation = (found: Comparison, fixes: Fixes): ReadonlyArray<string> => [
  `${found.objects} objects (${found.young} too young to judge), ${found.executions} executions (${found.unjudged} whose outputs are not in the index)`,
  ...section(
    "objects without an execution",
    found.objectsWithoutExecution.map(({ pipeline, subject }) => `${subject} (${pipeline})`),
    fixes.objectsWithoutExecution,
  ),
  ...section(
    "executions without their object; nothing to do where a lifecycle rule removes originals",
    found.executionsWithoutObject.map(line),
    fixes.executionsWithoutObject,
  ),
  ...section(
    "completed executions whose output is gone",
    found.completedWithoutOutput.map(line),
    fixes.completedWithoutOutput,
  ),
  ...section(
    "outputs that were written after their execution's end",
    found.outputsWrittenByOthers.map(line),
    fixes.outputsWrittenByOthers,
  ),
  ...section(
    "outputs that no completed execution names",
    found.outputsWithoutEnd.map(({ bucket, detail, key }) => `${bucket}/${key}: ${detail}`),
    fixes.outputsWithoutEnd,
  ),
  ...section("executions open too long", found.openTooLong.map(line), fixes.openTooLong),
  ...section(
    "executions that the index has lost",
    found.rowsLost.map(({ executionId, subject }) => `${executionId} ${subject}`),
    fixes.rowsLost,
  ),
];

const line = ({ detail, executionId, subject }: Operations.ExecutionFinding): string =>
  `${executionId} ${subject}: ${detail}`;

const section = (
  title: string,
  lines: ReadonlyArray<string>,
  commands: ReadonlyArray<string>,
): ReadonlyArray<string> => [
  `${lines.length} ${title}`,
  ...lines.slice(0, printedMax).map((text) => `  ${text}`),
  ...(lines.length > printedMax ? [`  and ${lines.length - printedMax} more: --json has all`] : []),
  ...commands.slice(0, printedMax).map((command) => `  $ ${command}`),
];
