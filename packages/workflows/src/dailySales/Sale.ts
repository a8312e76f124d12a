/**
 * What a row of a day's sales is. Edit this to the columns of your files.
 */
import { Schema } from "effect";
import { planCsvPipeline } from "../csvToParquet/CsvPipelineOptions.ts";
import * as Column from "../schema/Column.ts";

export const Sale = Schema.Struct({
  order_id: Column.int64,
  order_date: Column.date,
  store: Column.text,
  quantity: Column.int32,
  unit_price: Column.decimal(10, 2),
  total_amount: Column.decimal(12, 2),
});

/** How its files are read. Fails: ColumnUnsupported - a field above that cannot be a column */
export const salesPlan = planCsvPipeline({ schema: Sale });
