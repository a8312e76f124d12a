/**
 * The code of all workflows, for those who replay histories of any of them. Functions have only their own.
 */
import { MessageQueue, ObjectStore, Tasks } from "@millrace/core";
import { Layer } from "effect";
import { Buckets } from "./Buckets.ts";
import { layerCsvTransformTask } from "./csvToParquet/CsvTransformTask.ts";
import { layerCsvToParquet } from "./csvToParquet/CsvToParquet.ts";
import { layerDailySales, layerDailySalesTransform } from "./dailySales/DailySales.ts";
import { ImageCatalog } from "./imageRenditions/ImageCatalog.ts";
import { layerImageRenditions } from "./imageRenditions/ImageRenditions.ts";
import { ParquetEncoder } from "./parquet/ParquetEncoder.ts";

/** A check runs no activity, so none of these is ever used. */
const untouched = Layer.mergeAll(
  Layer.mock(ObjectStore, {}),
  Layer.mock(MessageQueue, {}),
  Tasks.layerNone,
  Layer.mock(ImageCatalog, {}),
  Layer.mock(ParquetEncoder, { name: "none" }),
  Layer.succeed(Buckets, { raw: "raw", clean: "clean", errors: "errors" }),
);

/** Every pipeline's workflow, to be replayed and never run: what its activities need is not there. */
export const layerWorkflowsToCheck = Layer.mergeAll(
  layerCsvToParquet,
  layerCsvTransformTask,
  layerDailySales,
  layerDailySalesTransform,
  layerImageRenditions,
).pipe(Layer.provide(untouched));
