/**
 * What the demo claims, and whether it is true.
 */
import type { ExecutionRow } from "@millrace/core";
import { Schema } from "effect";
import type { DemoFile } from "./DemoFile.ts";

/** The demo's figures, as `--json` prints them. */
export interface DemoSummary {
  readonly ok: boolean;
  readonly uploads: number;
  readonly completed: number;
  readonly failed: number;
  readonly deadLettered: number;
  readonly duplicatesAbsorbed: number;
  readonly resumedAfterKill: number;
  readonly replayedEvents: number;
  readonly executionsStartedByReplay: number;
}

/** Some claim is not true. */
export class DemoFailed extends Schema.TaggedError<DemoFailed>()("DemoFailed", {
  untrue: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `the demo's claims are not all true: ${this.untrue.join("; ")}`;
  }
}

/** Everything that was observed. */
export interface DemoObservations {
  readonly files: ReadonlyArray<DemoFile>;
  readonly rows: ReadonlyArray<ExecutionRow>;
  readonly deadLettered: number;
  readonly duplicatesDelivered: number;
  readonly duplicatesAbsorbed: number;
  /** Whether a process was killed; with the user's own files there may be nothing to kill in its middle. */
  readonly killed: boolean;
  readonly resumedAfterKill: number;
  readonly replayedEvents: number;
  readonly rowsAfterReplay: ReadonlyArray<ExecutionRow>;
  /** Every output object has exactly one version. */
  readonly outputsWrittenOnce: boolean;
  readonly outputsUnchanged: boolean;
}

/** The execution of a file. */
export const rowOf = (
  rows: ReadonlyArray<ExecutionRow>,
  file: DemoFile,
): ExecutionRow | undefined => rows.find((row) => row.key.includes(`/${file.key}@`));

/** The claims that are not true. */
export const untrueClaims = (seen: DemoObservations): ReadonlyArray<string> => {
  const { files, rows, rowsAfterReplay } = seen;
  const failed = rows.filter((row) => row.status === "failed").length;
  const claims: ReadonlyArray<readonly [string, boolean]> = [
    ["every upload has exactly one execution", rows.length === files.length],
    ...files.map(
      (file) =>
        [
          `${file.name} ends as ${file.expected ?? "completed or failed"}`,
          isExpected(file, rowOf(rows, file)?.status),
        ] as const,
    ),
    ["every failed execution has a dead letter", seen.deadLettered === failed],
    ["every duplicate was absorbed", seen.duplicatesAbsorbed === seen.duplicatesDelivered],
    ["every output was written once", seen.outputsWrittenOnce],
    ["a process was killed in the middle of a run", seen.killed || !files.some(isOurs)],
    [
      "the killed run was resumed by another process",
      seen.resumedAfterKill === Number(seen.killed),
    ],
    ["the replay brought every event back", seen.replayedEvents === files.length],
    ["the replay started no execution", rowsAfterReplay.length === rows.length],
    ["the replay changed no execution", sameRows(rows, rowsAfterReplay)],
    ["the replay wrote no output", seen.outputsUnchanged],
  ];
  return claims.filter(([, isTrue]) => !isTrue).map(([claim]) => claim);
};

/** A file of which the demo knows how it ends. */
const isOurs = (file: DemoFile): boolean => file.expected !== undefined;

const isExpected = (file: DemoFile, status: string | undefined): boolean =>
  file.expected === undefined
    ? status === "completed" || status === "failed"
    : status === file.expected;

const sameRows = (
  before: ReadonlyArray<ExecutionRow>,
  after: ReadonlyArray<ExecutionRow>,
): boolean =>
  before.every((row) =>
    after.some(
      ({ commit, executionId }) => executionId === row.executionId && commit === row.commit,
    ),
  );

/** The figures of a run. */
export const summarize = (seen: DemoObservations): DemoSummary => ({
  ok: untrueClaims(seen).length === 0,
  uploads: seen.files.length,
  completed: seen.rows.filter((row) => row.status === "completed").length,
  failed: seen.rows.filter((row) => row.status === "failed").length,
  deadLettered: seen.deadLettered,
  duplicatesAbsorbed: seen.duplicatesAbsorbed,
  resumedAfterKill: seen.resumedAfterKill,
  replayedEvents: seen.replayedEvents,
  executionsStartedByReplay: seen.rowsAfterReplay.length - seen.rows.length,
});
