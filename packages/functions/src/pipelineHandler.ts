/**
 * The handler of a pipeline whose workflow is started by objects: topology, workflow and its layer, nothing else.
 */
import {
  type Journal,
  judgeVersion,
  type LifecycleEvent,
  type ObjectHeads,
  type Pipeline,
} from "@millrace/core";
import {
  type ChainTopology,
  type PipelineTopology,
  queueNames,
} from "@millrace/workflows/topology";
import { Effect, type Layer } from "effect";
import type { Workflow, WorkflowEngine } from "effect/workflow";
import { Environment } from "./Environment.ts";
import { type ActivityServices, pipelineLayer } from "./runtime.ts";
import { makeSqsHandler } from "./sqsHandler.ts";

/** Makes the handler that Lambda and local mode call. */
export const pipelineHandler = <E>(
  topology: PipelineTopology,
  workflow: Workflow.Any,
  layer: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine | ActivityServices>,
) => {
  const pipeline = Effect.gen(function* () {
    const { buckets } = yield* Environment;
    const order = yield* Effect.context<ObjectHeads | Journal>();
    return {
      name: topology.name,
      trigger: topology.trigger,
      bucketName: buckets[topology.trigger.bucket],
      ...queueNames(topology),
      workflow,
      payloadOf: (object) => ({ object }),
      ...(topology.versions === "newest" && {
        supersededBy: (object, executionId) =>
          Effect.provideContext(judgeVersion(object, executionId), order),
      }),
    } satisfies Pipeline;
  });
  return makeSqsHandler(pipelineLayer(topology, layer), pipeline);
};

/** The same for a pipeline that follows another: `payloadOf` makes its input of the other's end. */
export const chainHandler = <E>(
  topology: ChainTopology,
  workflow: Workflow.Any,
  payloadOf: (completed: LifecycleEvent) => object,
  layer: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine | ActivityServices>,
) =>
  makeSqsHandler(
    pipelineLayer(topology, layer),
    Effect.succeed({
      name: topology.name,
      ...queueNames(topology),
      workflow,
      after: { pipeline: topology.after, payloadOf },
    }),
  );
