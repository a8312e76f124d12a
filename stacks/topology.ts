/**
 * The topology as it is deployed: checked, with the pattern of each pipeline's rule.
 */
import { toCompletionPattern } from "@millrace/core/Lifecycle";
import { toEventPattern } from "@millrace/core/Trigger";
import { checkTopology } from "@millrace/workflows/checkTopology";
import { type ChainTopology, type PipelineTopology, topology } from "@millrace/workflows/topology";
import { Effect } from "effect";

export { topology };

/** What starts a pipeline: objects, or the end of the pipeline before it. */
export type AnyPipeline = PipelineTopology | ChainTopology;

export const allPipelines: ReadonlyArray<AnyPipeline> = [...topology.pipelines, ...topology.chains];

export const isChain = (pipeline: AnyPipeline): pipeline is ChainTopology => "after" in pipeline;

/** The pattern of its rule, for a bucket of the given real name. */
export const patternOf = (pipeline: AnyPipeline, bucketName: string): string =>
  isChain(pipeline)
    ? toCompletionPattern(pipeline.after)
    : toEventPattern(pipeline.trigger, bucketName);

/** Throws `TopologyRefused`, which says all that is wrong, before anything is made. */
export const refuseInvalidTopology = (): void => {
  // Real names of buckets are known later, and no bucket's name can make a pattern invalid.
  Effect.runSync(checkTopology(topology, (pipeline) => patternOf(pipeline, "any-bucket")));
};
