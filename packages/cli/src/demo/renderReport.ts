/**
 * The demo's end: the table of what became of every file, where the outputs lie, what is in the dead-letter queues.
 */
import type { ExecutionRow } from "@millrace/core";
import { localBuckets } from "@millrace/local";
import { Predicate } from "effect";
import { renderTable } from "../table.ts";
import { formatMs } from "../timeline.ts";
import type { DemoReport } from "./runDemo.ts";
import { rowOf } from "./verdict.ts";

export const renderReport = (report: DemoReport): string => {
  const { letters, outputs, seen, summary, untrue } = report;
  const table = renderTable(
    ["FILE", "WORKFLOW", "STATUS", "STEPS", "RESULT", "TIME", "OUTPUT"],
    seen.files.map((file) => {
      const row = rowOf(seen.rows, file);
      return row === undefined
        ? [file.name, "-", "no execution", "-", "-", "-", "-"]
        : [
            file.name,
            row.workflow,
            row.status,
            String(row.steps),
            resultText(row),
            formatMs(row.updatedEpochMs - row.startedEpochMs),
            outputText(row),
          ];
    }),
  );
  return [
    "",
    table,
    "",
    `Outputs: ${outputs.length} objects in the bucket ${localBuckets.clean}; copies to open: ${report.folder}`,
    `Dead letters: ${letters.length}`,
    ...letters.map(({ cause, subject }) => `  ${subject}\n    ${cause.tag}: ${cause.message}`),
    `Duplicates absorbed: ${summary.duplicatesAbsorbed}; resumed after the kill: ${summary.resumedAfterKill}; ` +
      `events replayed: ${summary.replayedEvents}, executions started by that: ${summary.executionsStartedByReplay}`,
    summary.ok ? "All of it is true: nothing lost, nothing done twice." : "NOT TRUE:",
    ...untrue.map((claim) => `  ${claim}`),
  ].join("\n");
};

const member = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined;

const resultText = (row: ExecutionRow): string => {
  const report = member(row.result, "report");
  const sizes = member(row.result, "sizes");
  if (report !== undefined) return `${String(member(report, "rowsOut"))} rows`;
  return Array.isArray(sizes) ? `${sizes.length} renditions` : "-";
};

const outputText = (row: ExecutionRow): string => {
  const outputs = member(row.result, "outputs") ?? member(row.result, "sizes");
  const first: unknown = Array.isArray(outputs) ? outputs[0] : undefined;
  const key = member(first, "key");
  return typeof key === "string" ? key : "-";
};
