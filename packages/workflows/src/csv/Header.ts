/**
 * Column names from a header record (D1.6): trimmed, lower-cased, each whitespace character to `_`, and unique.
 *
 * A name that cannot be kept is changed by a stated rule and the change is reported:
 *   empty      `column_<position>`, the position from 1
 *   reserved   `<name>_column`: names every JavaScript object has (`__proto__`, `constructor`, ...) and the two that
 *              enrichment adds
 *   duplicate  `<name>_2`, `_3`, ... the first number that is free
 */
import { Schema } from "effect";

/** The columns that enrichment adds. */
export const processedAtColumn = "_processed_at";
export const sourceFileColumn = "_source_file";

/** One column whose name could not be kept. */
export const RenamedColumn = Schema.Struct({
  position: Schema.Int,
  original: Schema.String,
  name: Schema.String,
  reason: Schema.Literals(["empty", "reserved", "duplicate"]),
});
export type RenamedColumn = typeof RenamedColumn.Type;

const reserved = new Set([
  processedAtColumn,
  sourceFileColumn,
  "prototype",
  // Names arrive lower-cased, so compare them so.
  ...Object.getOwnPropertyNames(Object.prototype).map((name) => name.toLowerCase()),
]);

/** A header cell as a name: trimmed, lower-cased, blanks to `_`. */
export const columnName = (cell: string): string =>
  cell.trim().toLowerCase().replaceAll(/\s/g, "_");

/** Whether a column may not bear that name. */
export const isReservedColumn = (name: string): boolean => reserved.has(name);

const firstFree = (name: string, taken: ReadonlySet<string>): string => {
  let number = 2;
  while (taken.has(`${name}_${number}`)) number += 1;
  return `${name}_${number}`;
};

/** The column names of a header, in order, and what had to be changed. Names that need no change are never taken away by others. */
export const columnNames = (
  header: ReadonlyArray<string>,
): { readonly names: ReadonlyArray<string>; readonly renamed: ReadonlyArray<RenamedColumn> } => {
  const wanted = header.map(columnName);
  const taken = new Set(wanted.filter((name) => name !== "" && !reserved.has(name)));
  const used = new Set<string>();
  const renamed: Array<RenamedColumn> = [];
  const names = wanted.map((plain, index) => {
    const reason =
      plain === ""
        ? "empty"
        : reserved.has(plain)
          ? "reserved"
          : used.has(plain)
            ? "duplicate"
            : undefined;
    if (reason === undefined) {
      used.add(plain);
      return plain;
    }
    const proposal =
      reason === "empty"
        ? `column_${index + 1}`
        : reason === "reserved"
          ? `${plain}_column`
          : plain;
    const name = taken.has(proposal) ? firstFree(proposal, taken) : proposal;
    taken.add(name);
    used.add(name);
    renamed.push({ position: index + 1, original: header[index] ?? "", name, reason });
    return name;
  });
  return { names, renamed };
};
