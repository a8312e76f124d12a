/** The function of the pipeline csv-to-parquet. */
import { CsvToParquet, layerCsvToParquet, layerHyparquet } from "@millrace/workflows";
import { pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { pipelineHandler } from "./pipelineHandler.ts";

export const handler = pipelineHandler(
  pipelines.csvToParquet,
  CsvToParquet,
  Layer.provide(layerCsvToParquet, layerHyparquet),
);
