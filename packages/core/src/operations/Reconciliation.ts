/**
 * The buckets against the executions: what should be there and is not, and what is there and should not; pure.
 *
 * It reads three lists that were not made at one instant, so what is too young to be judged is left out by the caller's
 * grace, and a finding is a reason to look, with the command that puts it right.
 */
import type { ExecutionRow } from "../Executions.ts";

/** One version of an uploaded object, with the executions that it starts. */
export interface ListedVersion {
  /** `bucket/key@version`. */
  readonly subject: string;
  readonly bucket: string;
  readonly key: string;
  /** Whether it is the newest of its key. */
  readonly isLatest: boolean;
  readonly modifiedEpochMs: number;
  readonly executions: ReadonlyArray<{ readonly pipeline: string; readonly executionId: string }>;
}

/** An output that a result names. */
export interface OutputRef {
  readonly bucket: string;
  readonly key: string;
}

export interface ReconciliationInput {
  readonly versions: ReadonlyArray<ListedVersion>;
  /** All executions of the pipelines' workflows. */
  readonly rows: ReadonlyArray<ExecutionRow>;
  /** When each object of the output prefixes was written, by `bucket/key`; what failures leave is none. */
  readonly outputs: ReadonlyMap<string, number>;
  /** The outputs of a completed execution; `undefined` when its row does not tell. */
  readonly outputsOf: (row: ExecutionRow) => ReadonlyArray<OutputRef> | undefined;
  readonly nowEpochMs: number;
  /** Uploads younger than this may still be on their way. */
  readonly graceMs: number;
  /** An execution that is open for longer is open too long; an output that is older has an end by now. */
  readonly openMsMax: number;
  /**
   * Uploads and outputs from before are not judged, because the rows begin here; those of executions that began within
   * `openMsMax` from here are not judged either. @default all are
   */
  readonly sinceEpochMs?: number | undefined;
}

/** An upload that nothing was made of. */
export interface ObjectWithoutExecution {
  readonly subject: string;
  readonly bucket: string;
  readonly key: string;
  readonly pipeline: string;
  readonly executionId: string;
}

/** An execution, and what is wrong with it. */
export interface ExecutionFinding {
  readonly executionId: string;
  readonly workflow: string;
  readonly subject: string;
  readonly detail: string;
}

/** An output that no completed execution names. */
export interface OutputFinding extends OutputRef {
  readonly detail: string;
}

export interface Reconciliation {
  /** Newest versions that were looked at, and executions. */
  readonly objects: number;
  readonly executions: number;
  /** Uploads that are too young to be judged. */
  readonly young: number;
  /** Completed executions whose row does not name the outputs. */
  readonly unjudged: number;
  readonly objectsWithoutExecution: ReadonlyArray<ObjectWithoutExecution>;
  readonly executionsWithoutObject: ReadonlyArray<ExecutionFinding>;
  readonly completedWithoutOutput: ReadonlyArray<ExecutionFinding>;
  readonly outputsWrittenByOthers: ReadonlyArray<ExecutionFinding>;
  readonly outputsWithoutEnd: ReadonlyArray<OutputFinding>;
  readonly openTooLong: ReadonlyArray<ExecutionFinding>;
}

/** An output's time has whole seconds, and is written before its execution's end is. */
const clockToleranceMs = 5_000;

/** What the lists say of each other. */
export const reconcile = (input: ReconciliationInput): Reconciliation => {
  const known = new Set(input.rows.map(({ executionId }) => executionId));
  const isYoung = ({ modifiedEpochMs }: ListedVersion) =>
    input.nowEpochMs - modifiedEpochMs < input.graceMs;
  const latest = input.versions.filter(({ isLatest }) => isLatest);
  const objectsWithoutExecution = latest
    .filter((version) => !isYoung(version) && version.modifiedEpochMs >= sinceOf(input))
    .flatMap(({ bucket, executions, key, subject }) =>
      executions
        .filter(({ executionId }) => !known.has(executionId))
        .map(({ executionId, pipeline }) => ({ subject, bucket, key, pipeline, executionId })),
    );
  return {
    objects: latest.length,
    executions: input.rows.length,
    young: latest.filter(isYoung).length,
    objectsWithoutExecution,
    executionsWithoutObject: withoutObject(input),
    ...outputFindings(input),
    openTooLong: openTooLong(input),
  };
};

const sinceOf = ({ sinceEpochMs = 0 }: ReconciliationInput): number => sinceEpochMs;

const finding = (row: ExecutionRow, detail: string): ExecutionFinding => ({
  executionId: row.executionId,
  workflow: row.workflow,
  subject: row.key,
  detail,
});

/** Forks are about an object too, but under an id of their own; younger rows may be of objects that were not listed yet. */
const withoutObject = ({ nowEpochMs, rows, versions }: ReconciliationInput) => {
  const expected = new Set(
    versions.flatMap(({ executions }) => executions.map(({ executionId }) => executionId)),
  );
  return rows
    .filter(({ startedEpochMs }) => startedEpochMs < nowEpochMs)
    .filter((row) => row.forkedFrom === undefined && !expected.has(row.executionId))
    .map((row) => finding(row, `${row.status}; its object's version is gone`));
};

const outputFindings = (input: ReconciliationInput) => {
  const { outputs, outputsOf, rows } = input;
  const completedWithoutOutput: Array<ExecutionFinding> = [];
  const unjudged: Array<ExecutionRow> = [];
  /** The execution that ended last of those that wrote an output: a later version of an object overwrites the earlier's. */
  const writers = new Map<string, ExecutionRow>();
  for (const row of rows) {
    if (row.status !== "completed") continue;
    const named = outputsOf(row);
    if (named === undefined) unjudged.push(row);
    for (const { bucket, key } of named ?? []) {
      const name = `${bucket}/${key}`;
      if (!outputs.has(name)) {
        completedWithoutOutput.push(finding(row, `${name} is not there`));
      }
      const other = writers.get(name);
      if (!other || other.updatedEpochMs < row.updatedEpochMs) writers.set(name, row);
    }
  }
  return {
    unjudged: unjudged.length,
    completedWithoutOutput,
    outputsWrittenByOthers: writtenByOthers(input, writers),
    outputsWithoutEnd: withoutEnd(input, writers, unjudged),
  };
};

type Writers = ReadonlyMap<string, ExecutionRow>;

const writtenByOthers = ({ nowEpochMs, outputs }: ReconciliationInput, writers: Writers) => {
  const found: Array<ExecutionFinding> = [];
  for (const [name, row] of writers) {
    const writtenEpochMs = outputs.get(name);
    if (writtenEpochMs === undefined) continue;
    // What was written while the lists were read may be of an execution that is not in them.
    if (writtenEpochMs > nowEpochMs) continue;
    if (writtenEpochMs > row.updatedEpochMs + clockToleranceMs) {
      found.push(
        finding(row, `${name} was written at ${iso(writtenEpochMs)}, after its execution's end`),
      );
    }
  }
  return found;
};

/** Outputs that are old enough to have been named by a result, and are not. */
const withoutEnd = (
  input: ReconciliationInput,
  writers: Writers,
  unjudged: ReadonlyArray<ExecutionRow>,
): ReadonlyArray<OutputFinding> => {
  const { nowEpochMs, openMsMax, outputs, sinceEpochMs } = input;
  const fromEpochMs = sinceEpochMs === undefined ? 0 : sinceEpochMs + openMsMax;
  // Of an execution whose row does not name its outputs they may be.
  const mayBeOf = (writtenEpochMs: number) =>
    unjudged.some(
      (row) =>
        row.startedEpochMs - clockToleranceMs <= writtenEpochMs &&
        writtenEpochMs <= row.updatedEpochMs + clockToleranceMs,
    );
  const isJudged = (writtenEpochMs: number) =>
    fromEpochMs <= writtenEpochMs && nowEpochMs - writtenEpochMs > openMsMax;
  return [...outputs]
    .filter(([name, at]) => !writers.has(name) && isJudged(at) && !mayBeOf(at))
    .map(([name, at]) => {
      const slash = name.indexOf("/");
      return {
        bucket: name.slice(0, slash),
        key: name.slice(slash + 1),
        detail: `written at ${iso(at)}; no completed execution names it`,
      };
    });
};

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

const openTooLong = ({ nowEpochMs, openMsMax, rows }: ReconciliationInput) =>
  rows
    .filter(
      ({ startedEpochMs, status }) =>
        (status === "running" || status === "suspended" || status === "parked") &&
        nowEpochMs - startedEpochMs > openMsMax,
    )
    .map((row) => finding(row, `${row.status} since ${iso(row.updatedEpochMs)}`));
