/** What the tasks of the pipeline daily-sales run. */
import { DailySalesTransform, layerDailySalesTransform } from "@millrace/workflows/DailySales";
import { layerHyparquet } from "@millrace/workflows/layerHyparquet";
import { pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { taskWork } from "./taskWork.ts";

export const dailySalesTask = taskWork(
  pipelines.dailySales,
  DailySalesTransform,
  Layer.provide(layerDailySalesTransform, layerHyparquet),
);
