/** What the tasks of the pipeline csv-to-parquet run. */
import { CsvTransformTask, layerCsvTransformTask, layerHyparquet } from "@millrace/workflows";
import { pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { taskWork } from "./taskWork.ts";

export const csvToParquetTask = taskWork(
  pipelines.csvToParquet,
  CsvTransformTask,
  Layer.provide(layerCsvTransformTask, layerHyparquet),
);
