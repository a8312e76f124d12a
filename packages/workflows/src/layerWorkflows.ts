/**
 * The code of all workflows, for those who replay histories of any of them. Functions have only their own.
 */
import { Layer } from "effect";
import { layerCsvToParquet } from "./csvToParquet/CsvToParquet.ts";
import { layerImageRenditions } from "./imageRenditions/ImageRenditions.ts";

/** Every pipeline's workflow; what their activities need is left open. */
export const layerWorkflows = Layer.mergeAll(layerCsvToParquet, layerImageRenditions);
