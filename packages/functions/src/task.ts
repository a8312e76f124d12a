/** The entry point of the containers: what their image has the code of. */
import { pipelines } from "@millrace/workflows/topology";
import { handler as csvToParquet } from "./csvToParquet.ts";
import { csvToParquetTask } from "./csvToParquetTask.ts";
import { handler as dailySales } from "./dailySales.ts";
import { dailySalesTask } from "./dailySalesTask.ts";
import { handler as imageRenditions } from "./imageRenditions.ts";
import { runTask } from "./runTask.ts";

runTask({
  handlers: new Map([
    [pipelines.csvToParquet.name, csvToParquet],
    [pipelines.dailySales.name, dailySales],
    [pipelines.imageRenditions.name, imageRenditions],
  ]),
  works: new Map([
    [pipelines.csvToParquet.name, csvToParquetTask],
    [pipelines.dailySales.name, dailySalesTask],
  ]),
});
