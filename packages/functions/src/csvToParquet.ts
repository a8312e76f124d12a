/** The function of the pipeline csv-to-parquet. */
import { CsvToParquet, layerCsvToParquet } from "@millrace/workflows/CsvToParquet";
import { layerHyparquet } from "@millrace/workflows/layerHyparquet";
import { pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { pipelineHandler } from "./pipelineHandler.ts";

export const handler = pipelineHandler(
  pipelines.csvToParquet,
  CsvToParquet,
  Layer.provide(layerCsvToParquet, layerHyparquet),
);
