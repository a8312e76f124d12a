/**
 * Dates by requirement D1.6: what cannot be read is null, and counted.
 */
import type { ColumnPlan, GroupColumn } from "../parquet/ColumnPlan.ts";
import type { ColumnBuilder } from "./ColumnBuilder.ts";
import { ReadValues } from "./ReadValues.ts";
import type { RecordCells } from "./RecordCells.ts";
import { parseTimestamp, type SlashDates } from "./Timestamp.ts";

/** A column whose header's name says that it holds dates. */
export class DateBuilder implements ColumnBuilder {
  readonly plan: ColumnPlan;
  readonly figures: { name: string; parsed: number; unparsable: number; empty: number };
  readonly #values: ReadValues;

  constructor(name: string, slashDates: SlashDates) {
    this.plan = { name, kind: "timestamp", nullable: true };
    this.figures = { name, parsed: 0, unparsable: 0, empty: 0 };
    this.#values = new ReadValues((text) => parseTimestamp(text, slashDates));
  }

  add(cells: RecordCells, index: number): void {
    if (cells.isNull(index) || cells.isEmpty(index)) {
      this.figures.empty += 1;
      this.#values.readNull();
    } else if (this.#values.read(cells, index) === null) this.figures.unparsable += 1;
    else this.figures.parsed += 1;
    this.#values.keep();
  }

  take(): GroupColumn {
    return this.#values.take(this.plan.kind);
  }
}
