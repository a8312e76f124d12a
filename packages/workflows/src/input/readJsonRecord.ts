/**
 * The text of a JSON record to its keys and the texts of its values, without losing a digit.
 *
 * `JSON.parse` rounds numbers of more than 15 digits. Where a record has such a number, numbers are kept as they are
 * written; shorter ones are taken by their value (1.0 is 1, 1e3 is 1000).
 */

/** A value's text; null for JSON's null. */
export type JsonCells = ReadonlyArray<readonly [key: string, text: string | null]>;

/** What a record is when it is no object of well-formed texts. */
export type JsonFault = "not-json" | "not-an-object" | "broken-text";

const longNumber = /\d(?:\.?\d){15}/;

/** A number as it was written, which `JSON.stringify` prints back; it has no prototype. */
const asWritten = (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
  typeof value === "number" && context.source !== undefined && longNumber.test(context.source)
    ? JSON.rawJSON(context.source)
    : value;

const textOf = (value: unknown): string | null => {
  if (value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** Reads a record. */
export const readJsonRecord = (text: string): JsonCells | JsonFault => {
  let value: unknown;
  try {
    value = longNumber.test(text) ? JSON.parse(text, asWritten) : JSON.parse(text);
  } catch {
    return "not-json";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || JSON.isRawJSON(value))
    return "not-an-object";
  const cells: Array<readonly [string, string | null]> = [];
  for (const [key, one] of Object.entries(value)) {
    const cell = textOf(one);
    // Half a surrogate pair has no UTF-8: it would become another character without a word.
    if (!key.isWellFormed() || cell?.isWellFormed() === false) return "broken-text";
    cells.push([key, cell]);
  }
  return cells;
};
