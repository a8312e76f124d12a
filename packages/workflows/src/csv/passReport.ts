/**
 * The report of a pass that has ended.
 */
import type { CsvPass } from "./CsvPass.ts";
import { textKind } from "./Opened.ts";
import type { CsvPart, CsvReport, StepFigures } from "./CsvReport.ts";
import { processedAtColumn, sourceFileColumn } from "./Header.ts";
import { toldName, toldRename } from "./toldName.ts";

const lost = (steps: ReadonlyArray<StepFigures>) =>
  steps.reduce((sum, step) => sum + step.rowsRejected, 0);

const told = (steps: ReadonlyArray<StepFigures>) => (steps.length === 0 ? {} : { steps });

/** What became of a file's rows; nothing before the header has been read. */
export const passReport = (
  pass: CsvPass,
  encoder: string,
  parts: ReadonlyArray<CsvPart>,
): CsvReport | undefined => {
  const { groups, opened } = pass;
  if (groups === undefined || opened === undefined) return undefined;
  const { rowsIn, rowsRejected, duplicates, blankRows, emptyLines } = pass;
  const rowsOut = groups.rows;
  const bytesOut = parts.reduce((sum, part) => sum + part.bytes, 0);
  const rowGroups = parts.reduce((sum, part) => sum + part.rowGroups, 0);
  const dateColumns = groups.dateColumns.map((column) => ({
    ...column,
    name: toldName(column.name),
  }));
  const nullDates = dateColumns.reduce((sum, column) => sum + column.unparsable, 0);
  const { steps } = groups;
  const ofStage = (stage: StepFigures["stage"]) => steps.filter((step) => step.stage === stage);
  const valid = rowsIn - rowsRejected + lost(steps);
  const transformed = rowsOut + lost(ofStage("enrich"));
  return {
    rowsIn,
    rowsOut,
    rowsRejected,
    duplicates,
    blankRows,
    nullDates,
    bytesIn: pass.bytesIn,
    bytesOut,
    columns: groups.plan.map(({ kind, name }) => ({ name: toldName(name), kind })),
    renamed: pass.renamed.map(toldRename),
    ...(pass.ignored.length > 0 && { ignored: pass.ignored }),
    encoding: opened.text.encoding,
    encodingOrigin: opened.text.origin,
    ...textKind(opened),
    parts,
    stages: {
      validate: { rowsIn, rowsOut: valid, rowsRejected: rowsIn - valid, emptyLines },
      clean: { rowsIn: valid, rowsOut: valid - blankRows - duplicates, blankRows, duplicates },
      transform: { rows: transformed, dateColumns, nullDates, ...told(ofStage("transform")) },
      enrich: {
        rows: rowsOut,
        columns: [...groups.added, processedAtColumn, sourceFileColumn],
        ...told(ofStage("enrich")),
      },
      output: { encoder, rows: rowsOut, rowGroups, parts: parts.length, bytes: bytesOut },
    },
  };
};
