/**
 * A file's columns, once its header or its keys have been read: their names, matched with those declared, and who collects them.
 */
import { Result } from "effect";
import { matchColumns } from "../schema/matchColumns.ts";
import { missingInputs } from "../steps/StepRunner.ts";
import { CsvColumnsMissing, type CsvFailure, CsvTooManyColumns } from "./CsvFailure.ts";
import type { CompleteCsvOptions } from "./CsvOptions.ts";
import { columnNames, type RenamedColumn } from "./Header.ts";
import { columnsMax } from "./Limits.ts";
import { RowGroupBuilder } from "./RowGroupBuilder.ts";

const isDateName = (name: string): boolean => name.includes("fecha") || name.includes("date");

/** What a file's columns come to. */
export interface OpenedColumns {
  readonly groups: RowGroupBuilder;
  readonly renamed: ReadonlyArray<RenamedColumn>;
  /** Those that the declared schema leaves out. */
  readonly ignored: ReadonlyArray<string>;
}

/** The columns are known. */
export const openColumns = (
  header: ReadonlyArray<string>,
  emptyIsNull: boolean,
  options: CompleteCsvOptions,
): Result.Result<OpenedColumns, CsvFailure> => {
  const { columns, dateColumns, rowSteps, source, undeclaredColumns } = options;
  if (header.length > columnsMax)
    return Result.fail(new CsvTooManyColumns({ source, columns: header.length, columnsMax }));
  const { names, renamed } = columnNames(header);
  const matched =
    columns === undefined ? undefined : matchColumns(source, names, columns, undeclaredColumns);
  if (matched !== undefined && Result.isFailure(matched)) return Result.fail(matched.failure);
  const missing = columns === undefined ? missingInputs(rowSteps, names) : [];
  if (missing.length > 0) return Result.fail(new CsvColumnsMissing({ source, columns: missing }));
  const groups = new RowGroupBuilder({
    ...options,
    names,
    emptyIsNull,
    isDate: dateColumns === undefined ? isDateName : (name) => dateColumns.includes(name),
    declared:
      columns === undefined || matched === undefined
        ? undefined
        : { columns, sources: matched.success.sources },
  });
  return Result.succeed({ groups, renamed, ignored: matched?.success.ignored ?? [] });
};
