/** The function of the pipeline daily-sales. */
import { DailySales, layerDailySales } from "@millrace/workflows/DailySales";
import { layerHyparquet } from "@millrace/workflows/layerHyparquet";
import { pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { pipelineHandler } from "./pipelineHandler.ts";

export const handler = pipelineHandler(
  pipelines.dailySales,
  DailySales,
  Layer.provide(layerDailySales, layerHyparquet),
);
