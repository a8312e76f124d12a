/**
 * Every pipeline of the topology: its rule, its queues, its function. One that is added there is deployed by this, with
 * no second edit.
 */
import { makePipeline } from "./lib/pipeline";
import { allPipelines } from "./topology";

/** By name. */
export const pipelines = Object.fromEntries(
  allPipelines.map((pipeline) => [pipeline.name, makePipeline(pipeline)]),
);
