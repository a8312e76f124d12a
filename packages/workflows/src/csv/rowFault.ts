/**
 * Why a row is rejected before anything is made of it: its width, its characters, a cell that its column does not take.
 */
import type { RecordCells } from "./RecordCells.ts";
import type { Fault } from "./Reject.ts";
import type { RowGroupBuilder } from "./RowGroupBuilder.ts";

const unfit = (cells: RecordCells, groups: RowGroupBuilder): Fault | undefined => {
  const column = groups.unfit(cells);
  if (column === undefined) return undefined;
  const { name } = column.plan;
  return {
    reason: "does-not-fit",
    column: name,
    detail: `column ${JSON.stringify(name)} takes ${column.expected}`,
  };
};

/** The first fault of a row, which `groups` reads. NUL is looked for only where the file has one. */
export const rowFault = (
  cells: RecordCells,
  groups: RowGroupBuilder,
  nulSeen: boolean,
): Fault | undefined => {
  const { width } = groups;
  if (cells.count !== width)
    return {
      reason: cells.count < width ? "row-too-short" : "row-too-long",
      detail: `${cells.count} cells, the header has ${width}`,
    };
  if (nulSeen && cells.includes(0))
    return { reason: "nul-character", detail: "a cell holds the character NUL" };
  return unfit(cells, groups);
};
