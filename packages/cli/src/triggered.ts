/**
 * Which executions an object starts, as the pipelines' functions will find it: the same triggers, the same ids.
 */
import { type ObjectCreated, type Operations, refusalOf } from "@millrace/core";
import { localBuckets } from "@millrace/local";
import { CsvToParquet, ImageRenditions } from "@millrace/workflows";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Effect } from "effect";

const workflows = [CsvToParquet, ImageRenditions] as const;

/** All pipelines, or the one of that name. */
export const pipelinesNamed = (name: string | undefined): ReadonlyArray<PipelineTopology> =>
  Object.values(pipelines).filter((pipeline) => name === undefined || pipeline.name === name);

/** The executions that an object starts in some pipelines. */
export const executionsOf = (among: ReadonlyArray<PipelineTopology>) =>
  Effect.fnUntraced(function* (object: ObjectCreated) {
    const executions: Array<Operations.TriggeredExecution> = [];
    for (const { name, trigger, workflow } of among) {
      if (refusalOf(trigger, localBuckets[trigger.bucket], object) !== undefined) continue;
      const definition = workflows.find(({ _tag }) => _tag === workflow);
      if (!definition) continue;
      executions.push({ pipeline: name, executionId: yield* definition.executionId({ object }) });
    }
    return executions;
  });
