/**
 * A pipeline's steps, checked before any file comes: each column that a step reads must be declared, or come from a step
 * before it, and be of the same type. Without a declared schema a step reads cells of the file by its own types.
 */
import { Result } from "effect";
import type { ColumnPlan } from "../parquet/ColumnPlan.ts";
import { columnPlan, type DeclaredColumn } from "../schema/columnPlan.ts";
import { type RowStep, type StepColumns, type StepsRefused, StepUnsupported } from "./RowStep.ts";

/** A step whose columns are known. */
export interface PlannedStep extends StepColumns {
  readonly step: RowStep;
}

const isSameType = (one: ColumnPlan, other: ColumnPlan): boolean =>
  one.kind === "decimal" && other.kind === "decimal"
    ? one.precision === other.precision && one.scale === other.scale
    : one.kind === other.kind;

const columnsOf = (step: RowStep): Result.Result<StepColumns, StepsRefused> =>
  Result.gen(function* () {
    const reads = yield* columnPlan(step.input);
    const writes = yield* columnPlan(step.output);
    const table = step.reference === undefined ? [] : yield* columnPlan(step.reference.rows);
    return { reads, writes, table };
  });

/** What is wrong with a step, beside its columns' types. */
const misfit = (
  { reads }: StepColumns,
  known: ReadonlyMap<string, ColumnPlan>,
  isDeclared: boolean,
): string | undefined => {
  for (const { plan } of reads) {
    const there = known.get(plan.name);
    if (there === undefined && isDeclared)
      return `it reads ${JSON.stringify(plan.name)}, which neither the schema nor a step before it has`;
    if (there !== undefined && !isSameType(there, plan))
      return `it reads ${JSON.stringify(plan.name)} as ${plan.kind}, which is ${there.kind}`;
  }
  return undefined;
};

/** Checks the steps of a pipeline. */
export const planSteps = (
  steps: ReadonlyArray<RowStep>,
  declared: ReadonlyArray<DeclaredColumn> | undefined,
): Result.Result<ReadonlyArray<PlannedStep>, StepsRefused> =>
  Result.gen(function* () {
    const known = new Map((declared ?? []).map(({ plan }) => [plan.name, plan]));
    const planned: Array<PlannedStep> = [];
    for (const step of steps) {
      const refuse = (found: string) =>
        Result.fail(new StepUnsupported({ step: step.name, found }));
      if (!/^[a-z][a-z0-9-]{0,63}$/.test(step.name))
        yield* refuse("its name is not of lower-case letters, digits and hyphens, 64 at most");
      if (planned.some((other) => other.step.name === step.name))
        yield* refuse("another step has its name");
      const columns = yield* columnsOf(step);
      const found = misfit(columns, known, declared !== undefined);
      if (found !== undefined) yield* refuse(found);
      for (const { plan } of columns.writes) known.set(plan.name, plan);
      planned.push({ step, ...columns });
    }
    return planned;
  });

/** The columns of an output: what steps replace stays in its place, what they add stands behind. */
export const outputColumns = (
  columns: ReadonlyArray<ColumnPlan>,
  steps: ReadonlyArray<StepColumns>,
): ReadonlyArray<ColumnPlan> => {
  const written = new Map(columns.map((plan) => [plan.name, plan]));
  for (const { writes } of steps) for (const { plan } of writes) written.set(plan.name, plan);
  return [...written.values()];
};
