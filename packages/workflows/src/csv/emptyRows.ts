/**
 * Records without data: an empty line is no row; a blank row, all of whose cells are empty, is dropped and counted.
 */
import type { RecordCells } from "./RecordCells.ts";

/** A record without a delimiter and without text. */
export const isEmptyLine = (cells: RecordCells): boolean => cells.count === 1 && cells.isEmpty(0);

/** A row of empty cells, however many. */
export const isBlankRow = (cells: RecordCells): boolean => {
  for (let index = 0; index < cells.count; index += 1) if (!cells.isEmpty(index)) return false;
  return true;
};
