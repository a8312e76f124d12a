/**
 * A step of a pipeline between cleaning and output: named, typed, pure for each row, and given with the other options.
 *
 *   const net = rowStep({
 *     name: "net-amount",
 *     input: Schema.Struct({ gross: Column.double }),
 *     output: Schema.Struct({ net: Column.double }),
 *     run: ({ gross }) => Result.succeed({ net: gross / 1.19 }),
 *   })
 *
 * Its input are columns of the file, or of steps before it. A column of its output that is there already takes the old
 * one's place; a new one stands behind the others. A row that it fails for, or throws for, is rejected with the step's name.
 */
import { Predicate, Result, Schema } from "effect";
import {
  type ColumnUnsupported,
  type DeclaredColumn,
  type RowSchema,
} from "../schema/columnPlan.ts";
import { fromTypeSide } from "../schema/typeSide.ts";
import type { Reference, ReferenceRows, Values } from "./Reference.ts";

/** Which of the report's stages a step counts for. */
export type StepStage = "transform" | "enrich";

/** A step for one row: its output's values, or in words why it has none. Quotes no data. */
export type StepRun = (values: Values) => Result.Result<Values, string>;

/** The columns that a step deals with. */
export interface StepColumns {
  readonly reads: ReadonlyArray<DeclaredColumn>;
  readonly writes: ReadonlyArray<DeclaredColumn>;
  /** Of its reference table. */
  readonly table: ReadonlyArray<DeclaredColumn>;
}

/** A step, whatever its types are. */
export interface RowStep {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly stage: StepStage;
  readonly input: RowSchema;
  readonly output: RowSchema;
  readonly reference: Reference | undefined;
  /** Called once for each file, with the table's rows. */
  readonly prepare: (columns: StepColumns, table: ReferenceRows) => StepRun;
}

/** Steps that do not go together with each other or with the schema. Permanent: the declaration must be changed. */
export class StepUnsupported extends Schema.TaggedError<StepUnsupported>()("StepUnsupported", {
  step: Schema.String,
  found: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `The step ${JSON.stringify(this.step)} cannot be used: ${this.found}.`;
  }
}

/** Why a pipeline's steps are refused when its layer is built. */
export type StepsRefused = StepUnsupported | ColumnUnsupported;

/** One row as the schema's type side has it. */
const toRecord = (columns: ReadonlyArray<DeclaredColumn>, values: Values): unknown =>
  Object.fromEntries(
    columns.flatMap(({ optional, plan, typed }, index): ReadonlyArray<[string, unknown]> => {
      const value = values[index] ?? null;
      if (value === null) return optional ? [] : [[plan.name, null]];
      return [[plan.name, typed(value)]];
    }),
  );

const toValue = ({ accepts, plan }: DeclaredColumn) => {
  const from = fromTypeSide(plan);
  return (row: unknown) => {
    const given = Predicate.hasProperty(row, plan.name) ? row[plan.name] : undefined;
    if (given === null || given === undefined) return plan.nullable ? null : undefined;
    const value = from(given);
    return value === undefined || accepts?.(value) === false ? undefined : value;
  };
};

/** Wraps a typed function as a step for a row. */
const toRun = <Input extends RowSchema>(
  input: Input,
  { reads, writes }: StepColumns,
  run: (row: Input["Type"]) => Result.Result<unknown, string>,
): StepRun => {
  const isInput = Schema.is(input);
  const outputs = writes.map((column) => ({ name: column.plan.name, value: toValue(column) }));
  return (values) => {
    const row = toRecord(reads, values);
    if (!isInput(row)) return Result.fail("the row is not what the step takes");
    const result = Result.try({
      try: () => run(row),
      catch: (error) => `it threw ${error instanceof Error ? error.name : "something"}`,
    }).pipe(Result.flatMap((one) => one));
    if (Result.isFailure(result)) return Result.fail(result.failure);
    const written: Array<Values[number]> = [];
    for (const { name, value } of outputs) {
      const one = value(result.success);
      if (one === undefined)
        return Result.fail(`its result does not fit the column ${JSON.stringify(name)}`);
      written.push(one);
    }
    return Result.succeed(written);
  };
};

interface StepOptions<Input extends RowSchema, Output extends RowSchema> {
  readonly name: string;
  /** @default enrich */
  readonly stage?: StepStage;
  readonly input: Input;
  readonly output: Output;
}

/** A step that looks at the row alone. The failure says why, without quoting the row. */
export const rowStep = <Input extends RowSchema, Output extends RowSchema>({
  run,
  stage = "enrich",
  ...step
}: StepOptions<Input, Output> & {
  readonly run: (row: Input["Type"]) => Result.Result<Output["Type"], string>;
}): RowStep => ({
  ...step,
  stage,
  reference: undefined,
  prepare: (columns) => toRun(step.input, columns, run),
});

/** A step that looks things up in a table; `prepare` makes of it, once for each file, what looks at a row. */
export const referenceStep = <
  Input extends RowSchema,
  Output extends RowSchema,
  Table extends RowSchema,
>({
  prepare,
  stage = "enrich",
  ...step
}: StepOptions<Input, Output> & {
  readonly reference: Reference<Table>;
  readonly prepare: (
    rows: ReadonlyArray<Table["Type"]>,
  ) => (row: Input["Type"]) => Result.Result<Output["Type"], string>;
}): RowStep => {
  const isRow = Schema.is(step.reference.rows);
  return {
    ...step,
    stage,
    prepare: (columns, table) => {
      const rows = table.map((values) => toRecord(columns.table, values)).filter(isRow);
      return toRun(step.input, columns, prepare(rows));
    },
  };
};
