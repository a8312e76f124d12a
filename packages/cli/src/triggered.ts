/** The pipelines that a command is about, and which executions an object starts in them. */
import { executionsOf as executionsIn } from "@millrace/workflows/executionsOf";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import type { Stage } from "./Stage.ts";

/** All pipelines, or the one of that name. */
export const pipelinesNamed = (name: string | undefined): ReadonlyArray<PipelineTopology> =>
  Object.values(pipelines).filter((pipeline) => name === undefined || pipeline.name === name);

/** The executions that an object of the stage starts in some pipelines. */
export const executionsOf = (stage: Stage, among: ReadonlyArray<PipelineTopology>) =>
  executionsIn(among, stage.buckets);
