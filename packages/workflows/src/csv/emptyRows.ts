/**
 * Records without data: an empty line is no row; a blank row, all of whose cells are empty, is dropped and counted.
 */
import type { Cell } from "./ColumnBuilder.ts";

/** A record without a delimiter and without text. */
export const isEmptyLine = (cells: ReadonlyArray<string>): boolean =>
  cells.length === 1 && cells[0] === "";

/** A row of empty cells, however many. */
export const isBlankRow = (cells: ReadonlyArray<Cell>): boolean => {
  for (const cell of cells) if (cell !== "" && cell !== null) return false;
  return true;
};
