/** The function of the pipeline image-renditions. */
import { ImageRenditions, layerImageRenditions } from "@millrace/workflows/ImageRenditions";
import { pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { layerDynamoImageCatalog } from "./DynamoImageCatalog.ts";
import { pipelineHandler } from "./pipelineHandler.ts";

export const handler = pipelineHandler(
  pipelines.imageRenditions,
  ImageRenditions,
  Layer.provide(layerImageRenditions, layerDynamoImageCatalog),
);
