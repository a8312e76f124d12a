/**
 * Containers that do a pipeline's work where a function is too small: the same worker, on Fargate's spare capacity.
 *
 * Nothing runs, and nothing but the images' storage is paid for, until a workflow launches a task for an object that is too
 * large for its function, or a person starts one to empty the queue (docs/deploy.md).
 */
import type { TaskTopology } from "@millrace/workflows/topology";
import { makeContainer } from "./lib/containers";
import { stage } from "./stage";
import { pipelines } from "./pipelines";

const wanted = Object.entries(pipelines).flatMap(([name, deployed]) => {
  const size: TaskTopology | undefined = deployed.pipeline.task;
  return size && stage.isWatched ? [{ name, deployed, size }] : [];
});

/** By the pipeline's name; none in a personal stage. */
export const tasks = Object.fromEntries(
  wanted.map(({ deployed, name, size }) => [name, makeContainer(deployed, size)]),
);
