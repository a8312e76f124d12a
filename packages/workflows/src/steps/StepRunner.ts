/**
 * Runs a pipeline's steps over the rows of one file, and collects what they write, column by column. Pure.
 */
import { Result } from "effect";
import { columnValues } from "../csv/ColumnBuilder.ts";
import type { StepFigures } from "../csv/CsvReport.ts";
import { DeclaredBuilder } from "../csv/DeclaredBuilder.ts";
import { columnName } from "../csv/Header.ts";
import type { RecordCells } from "../csv/RecordCells.ts";
import type { Fault } from "../csv/Reject.ts";
import type { SlashDates } from "../csv/Timestamp.ts";
import type { ColumnPlan, GroupColumn } from "../parquet/ColumnPlan.ts";
import type { CellValue } from "../schema/readCell.ts";
import { outputColumns } from "./planSteps.ts";
import type { StepColumns, StepRun, StepStage } from "./RowStep.ts";

/** A step whose reference table has been read. */
export interface OpenStep extends StepColumns {
  readonly name: string;
  readonly stage: StepStage;
  readonly run: StepRun;
  /** Which table it looks things up in, and how many rows that has. */
  readonly reference?: { readonly name: string; readonly rows: number } | undefined;
}

/** What a runner must know of the file. */
export interface StepRunnerOptions {
  readonly steps: ReadonlyArray<OpenStep>;
  /** The columns without the steps. */
  readonly plan: ReadonlyArray<ColumnPlan>;
  /** The declared columns' readers; none without a declared schema. */
  readonly declared: ReadonlyArray<DeclaredBuilder>;
  /** The file's columns. */
  readonly names: ReadonlyArray<string>;
  readonly slashDates: SlashDates;
  readonly emptyIsNull: boolean;
}

/** A column that steps write. */
interface Written {
  readonly plan: ColumnPlan;
  value: CellValue | null;
  values: Array<CellValue | null>;
}

/** Gives an input's value; undefined when the cell does not fit. */
type Source = (cells: RecordCells) => CellValue | null | undefined;

interface Stage {
  readonly step: OpenStep;
  readonly sources: ReadonlyArray<Source>;
  readonly targets: ReadonlyArray<Written>;
  readonly figures: { rowsIn: number; rowsOut: number; rowsRejected: number };
}

/** The inputs of steps that a file without a declared schema lacks. */
export const missingInputs = (
  steps: ReadonlyArray<OpenStep>,
  names: ReadonlyArray<string>,
): ReadonlyArray<string> => {
  const known = new Set(names);
  return steps.flatMap(({ reads, writes }) => {
    const missing = reads.filter(
      ({ optional, plan }) =>
        !optional && !known.has(plan.name) && !known.has(columnName(plan.name)),
    );
    for (const { plan } of writes) known.add(plan.name);
    return missing.map(({ plan }) => plan.name);
  });
};

/** The steps of one file. */
export class StepRunner {
  /** The output's columns. */
  readonly plan: ReadonlyArray<ColumnPlan>;
  readonly #written = new Map<string, Written>();
  readonly #stages: ReadonlyArray<Stage>;

  constructor(options: StepRunnerOptions) {
    this.plan = outputColumns(options.plan, options.steps);
    this.#stages = options.steps.map((step) => {
      const sources = step.reads.map((column) => this.#source(column, options));
      const targets = step.writes.map(({ plan }) => this.#target(plan));
      return { step, sources, targets, figures: { rowsIn: 0, rowsOut: 0, rowsRejected: 0 } };
    });
  }

  /** What the steps came to. */
  get figures(): ReadonlyArray<StepFigures> {
    return this.#stages.map(({ figures, step }) => ({
      name: step.name,
      stage: step.stage,
      ...figures,
      ...(step.reference !== undefined && {
        reference: step.reference.name,
        referenceRows: step.reference.rows,
      }),
    }));
  }

  /** Goes on with what another pass over the same file had come to. */
  resume(figures: ReadonlyArray<StepFigures>): void {
    this.#stages.forEach((stage, index) => {
      const { rowsIn = 0, rowsOut = 0, rowsRejected = 0 } = figures[index] ?? {};
      Object.assign(stage.figures, { rowsIn, rowsOut, rowsRejected });
    });
  }

  /** Runs a row, which a declared schema's columns have read; `keep` keeps what came of it. */
  run(cells: RecordCells): Fault | undefined {
    for (const stage of this.#stages) {
      const { figures, sources, step, targets } = stage;
      figures.rowsIn += 1;
      const values: Array<CellValue | null> = [];
      for (const [index, source] of sources.entries()) {
        const value = source(cells);
        if (value === undefined) return reject(stage, takes(step, index));
        values.push(value);
      }
      const result = step.run(values);
      if (Result.isFailure(result)) return reject(stage, { detail: result.failure });
      for (const [index, target] of targets.entries()) target.value = result.success[index] ?? null;
      figures.rowsOut += 1;
    }
    return undefined;
  }

  /** Keeps what the last row came to; says how long its texts are. */
  keep(): number {
    let length = 0;
    for (const written of this.#written.values()) {
      written.values.push(written.value);
      if (typeof written.value === "string") length += written.value.length;
    }
    return length;
  }

  /** The columns of a group, given those without the steps. */
  take(columns: ReadonlyArray<GroupColumn>): ReadonlyArray<GroupColumn> {
    return this.plan.map((plan, index) => {
      const written = this.#written.get(plan.name);
      if (written === undefined) return columns[index] ?? columnValues(plan.kind, []);
      const { values } = written;
      written.values = [];
      return columnValues(plan.kind, values);
    });
  }

  #target(plan: ColumnPlan): Written {
    const written = this.#written.get(plan.name) ?? { plan, value: null, values: [] };
    this.#written.set(plan.name, written);
    return written;
  }

  #source(
    column: OpenStep["reads"][number],
    { declared, emptyIsNull, names, slashDates }: StepRunnerOptions,
  ): Source {
    const { name } = column.plan;
    const written = this.#written.get(name);
    if (written !== undefined) return () => written.value;
    const builder = declared.find(({ plan }) => plan.name === name);
    if (builder !== undefined) return () => builder.value;
    const at = names.indexOf(columnName(name));
    const reader = new DeclaredBuilder(column, slashDates, emptyIsNull);
    return (cells) => (reader.read(cells, at) ? reader.value : undefined);
  }
}

const takes = ({ reads }: OpenStep, index: number): Omit<Fault, "reason"> => {
  const { expected = "", plan } = reads[index] ?? {};
  const name = plan?.name ?? "";
  return { column: name, detail: `column ${JSON.stringify(name)} takes ${expected}` };
};

const reject = ({ figures, step }: Stage, fault: Omit<Fault, "reason">): Fault => {
  figures.rowsRejected += 1;
  return { ...fault, reason: `step:${step.name}` };
};
