/**
 * Transform and enrich: turns cleaned rows into the columns of row groups.
 *
 * Without a declared schema text stays text and date columns are found by their names (D1.6); with one, each column has
 * its own rule. The groups are cut by rows and bytes of the rows alone, so the same file gives the same groups however it
 * was chunked.
 */
import type { ColumnPlan, GroupColumn } from "../parquet/ColumnPlan.ts";
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import type { ColumnBuilder } from "./ColumnBuilder.ts";
import type { DateColumn, StepFigures } from "./CsvReport.ts";
import { DateBuilder } from "./DateBuilder.ts";
import { DeclaredBuilder } from "./DeclaredBuilder.ts";
import { processedAtColumn, sourceFileColumn } from "./Header.ts";
import { type OpenStep, StepRunner } from "../steps/StepRunner.ts";
import { cellOverheadBytes, rowGroupBytesMax } from "./Limits.ts";
import type { RecordCells } from "./RecordCells.ts";
import type { Fault } from "./Reject.ts";
import { TextBuilder } from "./TextBuilder.ts";
import type { SlashDates } from "./Timestamp.ts";

/** A finished group. */
export interface RowGroup {
  readonly columns: ReadonlyArray<GroupColumn>;
  readonly rows: number;
  /** True when the part ends with this group. */
  readonly lastOfPart: boolean;
}

/** What the builder must know of a file. */
export interface RowGroupOptions {
  readonly names: ReadonlyArray<string>;
  readonly isDate: (name: string) => boolean;
  readonly slashDates: SlashDates;
  /** The declared columns, and the cell of a row that each is read from; -1 for none. */
  readonly declared?:
    | { readonly columns: ReadonlyArray<DeclaredColumn>; readonly sources: ReadonlyArray<number> }
    | undefined;
  readonly rowSteps: ReadonlyArray<OpenStep>;
  /** Whether an empty cell is null: in CSV, but not in JSON. */
  readonly emptyIsNull: boolean;
  readonly processedAtEpochMs: number;
  readonly sourceFile: string;
  readonly rowGroupRowsMax: number;
  readonly partRowsMax: number;
}

/** Builds the row groups of one file. */
export class RowGroupBuilder {
  /** The output's columns. */
  readonly plan: ReadonlyArray<ColumnPlan>;
  /** Cells of a row. */
  readonly width: number;
  /** Groups finished and not yet taken. */
  finished: Array<RowGroup> = [];
  rows = 0;
  readonly #options: RowGroupOptions;
  readonly #free: ReadonlyArray<ColumnBuilder>;
  readonly #declared: ReadonlyArray<DeclaredBuilder>;
  readonly #sources: ReadonlyArray<number>;
  readonly #steps: StepRunner | undefined;
  #groupRows = 0;
  #groupBytes = 0;
  #partRows = 0;
  /** Codes of a column of one value, for as many rows as the last group had. */
  #zeros = new Int32Array(0);

  constructor(options: RowGroupOptions) {
    const { declared, isDate, names, slashDates } = options;
    this.#options = options;
    this.width = names.length;
    this.#free =
      declared === undefined
        ? names.map((name) =>
            isDate(name)
              ? new DateBuilder(name, slashDates)
              : new TextBuilder({ name, kind: "text", nullable: true }, options.emptyIsNull),
          )
        : [];
    this.#declared = (declared?.columns ?? []).map(
      (column) => new DeclaredBuilder(column, slashDates, options.emptyIsNull),
    );
    this.#sources = declared?.sources ?? [];
    const plan = [...this.#free, ...this.#declared].map((column) => column.plan);
    this.#steps =
      options.rowSteps.length === 0
        ? undefined
        : new StepRunner({ ...options, steps: options.rowSteps, plan, declared: this.#declared });
    this.plan = [
      ...(this.#steps?.plan ?? plan),
      { name: processedAtColumn, kind: "timestamp" as const, nullable: false },
      { name: sourceFileColumn, kind: "text" as const, nullable: false },
    ];
  }

  /** The declared columns, each with the cell that it is read from; nothing where none are declared. */
  get declared(): RowGroupOptions["declared"] {
    return this.#options.declared;
  }

  /** What the date columns came to. */
  get dateColumns(): ReadonlyArray<DateColumn> {
    return this.#free.flatMap((column) => (column instanceof DateBuilder ? [column.figures] : []));
  }

  /** What the steps came to. */
  get steps(): ReadonlyArray<StepFigures> {
    return this.#steps?.figures ?? [];
  }

  /** The columns that steps have added. */
  get added(): ReadonlyArray<string> {
    return this.plan.slice(this.#free.length + this.#declared.length, -2).map(({ name }) => name);
  }

  /** Why a step rejects a row that fits; `add` keeps what the steps have made of it. */
  runSteps(cells: RecordCells): Fault | undefined {
    return this.#steps?.run(cells);
  }

  /** The first declared column that a row does not fit. Reads the row: `add` keeps what was read. */
  unfit(cells: RecordCells): DeclaredBuilder | undefined {
    for (let index = 0; index < this.#declared.length; index++) {
      const column = this.#declared[index];
      const source = this.#sources[index] ?? -1;
      if (column?.read(cells, source) === false) return column;
    }
    return undefined;
  }

  /** Goes on with what another pass over the same file had come to. */
  resume(
    rows: number,
    dateColumns: ReadonlyArray<DateColumn>,
    steps: ReadonlyArray<StepFigures> = [],
  ): void {
    this.#steps?.resume(steps);
    this.rows = rows;
    const dates = this.#free.filter((column) => column instanceof DateBuilder);
    dates.forEach((column, index) => Object.assign(column.figures, dateColumns[index]));
  }

  /** Adds a row of as many cells as there are names, which `unfit` and `runSteps` have seen last; true when a part ends with it. */
  add(cells: RecordCells): boolean {
    let bytes = cells.count * cellOverheadBytes + cells.bytes;
    for (let index = 0; index < this.#free.length; index++) this.#free[index]?.add(cells, index);
    for (const column of this.#declared) column.keep(cells);
    bytes += this.#steps?.keep() ?? 0;
    this.rows += 1;
    this.#groupRows += 1;
    this.#partRows += 1;
    this.#groupBytes += bytes;
    const lastOfPart = this.#partRows >= this.#options.partRowsMax;
    if (
      lastOfPart ||
      this.#groupRows >= this.#options.rowGroupRowsMax ||
      this.#groupBytes >= rowGroupBytesMax
    )
      this.cut(lastOfPart);
    return lastOfPart;
  }

  /** Finishes the present group, if it has rows. */
  cut(lastOfPart: boolean): void {
    if (this.#groupRows === 0) return;
    this.finished.push({ columns: this.#enriched(), rows: this.#groupRows, lastOfPart });
    this.#groupRows = 0;
    this.#groupBytes = 0;
    if (lastOfPart) this.#partRows = 0;
  }

  #enriched(): ReadonlyArray<GroupColumn> {
    if (this.#zeros.length !== this.#groupRows) this.#zeros = new Int32Array(this.#groupRows);
    const codes = this.#zeros;
    const columns = [...this.#free, ...this.#declared].map((column) => column.take());
    return [
      ...(this.#steps?.take(columns) ?? columns),
      {
        kind: "coded",
        values: { kind: "timestamp", values: [this.#options.processedAtEpochMs] },
        codes,
      },
      { kind: "coded", values: { kind: "text", values: [this.#options.sourceFile] }, codes },
    ];
  }
}
