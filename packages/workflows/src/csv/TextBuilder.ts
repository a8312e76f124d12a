/**
 * A column of text: its cells' bytes as they are, each different one kept once per row group.
 */
import type { ColumnPlan, GroupColumn } from "../parquet/ColumnPlan.ts";
import { CellCodes } from "./CellCodes.ts";
import type { ColumnBuilder } from "./ColumnBuilder.ts";
import type { RecordCells } from "./RecordCells.ts";
import { isHopeless, nullCode, RowCodes } from "./RowCodes.ts";

/** In CSV an empty text is null, as quotes do not tell the two apart there. */
export class TextBuilder implements ColumnBuilder {
  readonly plan: ColumnPlan;
  readonly #emptyIsNull: boolean;
  readonly #texts = new CellCodes();
  readonly #rows = new RowCodes();
  #repeats = true;
  /** Cells that were looked for. */
  #asked = 0;

  constructor(plan: ColumnPlan, emptyIsNull: boolean) {
    this.plan = plan;
    this.#emptyIsNull = emptyIsNull;
  }

  add(cells: RecordCells, index: number): void {
    if (cells.isNull(index) || (this.#emptyIsNull && cells.isEmpty(index))) {
      this.#rows.push(nullCode);
      return;
    }
    const texts = this.#texts;
    if (!this.#repeats) {
      this.#rows.push(texts.add(cells, index));
      return;
    }
    this.#rows.push(texts.of(cells, index));
    this.#asked += 1;
    if (!texts.crowded && !isHopeless(this.#asked, texts.count)) return;
    this.#repeats = false;
    texts.spread(this.#rows.codes);
  }

  take(): GroupColumn {
    const packed = this.#texts.take(this.#rows.take());
    this.#repeats = true;
    this.#asked = 0;
    return packed;
  }
}
