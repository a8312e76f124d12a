/**
 * Rows as aligned text, for a terminal.
 */

/** Lines of a table: a header, then the rows; columns as wide as their widest cell, at most `widthMax`. */
export const renderTable = (
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  widthMax = 60,
): string => {
  const all = [header, ...rows].map((row) => row.map((cell) => shorten(cell, widthMax)));
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

/** The text with its middle left out, so that both the folder and the name of a key stay readable. */
export const shorten = (text: string, widthMax: number): string => {
  if (text.length <= widthMax) return text;
  const half = Math.floor((widthMax - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(text.length - (widthMax - 1 - half))}`;
};
