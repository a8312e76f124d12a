/**
 * Which column of a file each declared column is read from, by name and not by place.
 *
 * Names are compared as the header rule makes them (trimmed, lower-cased, blanks to `_`); the output has the declared
 * names. A column that the schema does not know is refused unless the pipeline says that it may be ignored: a producer's
 * renamed column must not vanish without a word.
 */
import { Result, Schema } from "effect";
import { CsvColumnsMissing, CsvColumnsUnknown } from "../csv/CsvFailure.ts";
import { columnName } from "../csv/Header.ts";
import { toldName } from "../csv/toldName.ts";
import type { DeclaredColumn } from "./columnPlan.ts";

/** What becomes of a file's columns that the schema does not declare. */
export const UndeclaredColumns = Schema.Literals(["refuse", "ignore"]);
export type UndeclaredColumns = typeof UndeclaredColumns.Type;

/** Where the declared columns come from. */
export interface MatchedColumns {
  /** For each declared column the file's column, from 0; -1 when the file has none. */
  readonly sources: ReadonlyArray<number>;
  /** The file's columns that are left out. */
  readonly ignored: ReadonlyArray<string>;
}

/** Names in a failure: enough to see what is wrong with a file, however wide it is. */
const toldNamesMax = 20;

const told = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.slice(0, toldNamesMax).map(toldName);

/** Matches a header's names, which are unique. */
export const matchColumns = (
  source: string,
  names: ReadonlyArray<string>,
  declared: ReadonlyArray<DeclaredColumn>,
  undeclared: UndeclaredColumns,
): Result.Result<MatchedColumns, CsvColumnsMissing | CsvColumnsUnknown> => {
  const wanted = declared.map(({ plan }) => columnName(plan.name));
  const missing = declared.filter(
    ({ optional }, index) => !optional && !names.includes(wanted[index] ?? ""),
  );
  if (missing.length > 0)
    return Result.fail(
      new CsvColumnsMissing({ source, columns: missing.map(({ plan }) => plan.name) }),
    );
  const known = new Set(wanted);
  const ignored = names.filter((name) => !known.has(name));
  if (ignored.length > 0 && undeclared === "refuse")
    return Result.fail(new CsvColumnsUnknown({ source, columns: told(ignored) }));
  return Result.succeed({
    sources: wanted.map((name) => names.indexOf(name)),
    ignored: told(ignored),
  });
};
