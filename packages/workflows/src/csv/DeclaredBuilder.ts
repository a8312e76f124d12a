/**
 * A declared column: cells by the rule of its kind and its checks.
 */
import type { ColumnPlan, GroupColumn } from "../parquet/ColumnPlan.ts";
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import { cellReader, type CellValue } from "../schema/readCell.ts";
import { ReadValues, unfit } from "./ReadValues.ts";
import type { RecordCells } from "./RecordCells.ts";
import { TextBuilder } from "./TextBuilder.ts";
import type { SlashDates } from "./Timestamp.ts";

/** The values of a declared column: `read` a cell first; when the whole row fits, `keep` what was read. */
export class DeclaredBuilder {
  readonly plan: ColumnPlan;
  readonly expected: string;
  readonly #emptyIsNull: boolean;
  readonly #values: ReadValues;
  /** Text that fits is kept as its bytes, and read only when there is something to check. */
  readonly #text: TextBuilder | undefined;
  readonly #isChecked: boolean;
  #cells: RecordCells | undefined;
  #index = -1;
  #read: CellValue | null = null;

  /** In CSV an empty cell is null where it may be; JSON says null itself. */
  constructor(column: DeclaredColumn, slashDates: SlashDates, emptyIsNull: boolean) {
    const { accepts, expected, plan } = column;
    this.plan = plan;
    this.#emptyIsNull = emptyIsNull;
    this.expected = expected;
    this.#isChecked = plan.kind !== "text" || accepts !== undefined;
    this.#text =
      plan.kind === "text" || plan.kind === "json"
        ? new TextBuilder(plan, emptyIsNull && plan.nullable)
        : undefined;
    const reader = cellReader(plan, slashDates);
    this.#values = new ReadValues((text) => {
      const value = reader(text);
      return value === undefined || accepts?.(value) === false ? unfit : value;
    });
  }

  /** What was read last. */
  get value(): CellValue | null {
    if (this.#cells !== undefined) this.#read = this.#cells.text(this.#index);
    return this.#read;
  }

  /** False when the cell does not fit the column. */
  read(cells: RecordCells, index: number): boolean {
    const { kind, nullable } = this.plan;
    const isNull =
      cells.isNull(index) ||
      (this.#emptyIsNull && cells.isEmpty(index) && (nullable || kind !== "text"));
    this.#cells = this.#text === undefined || isNull ? undefined : cells;
    this.#index = index;
    if (isNull) {
      this.#read = this.#values.readNull();
      return nullable;
    }
    if (!this.#isChecked) return true;
    const value = this.#values.read(cells, index);
    if (value === unfit) return false;
    this.#read = value;
    return true;
  }

  /** Adds what was read last. */
  keep(cells: RecordCells): void {
    if (this.#text === undefined) this.#values.keep();
    else this.#text.add(cells, this.#index);
  }

  take(): GroupColumn {
    const values = this.#values.take(this.plan.kind);
    return this.#text?.take() ?? values;
  }
}
