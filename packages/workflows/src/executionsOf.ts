/**
 * Which executions an object starts, as the pipelines' functions will find it: the same triggers, the same ids.
 *
 * It knows of workflows what the topology says of them, so that whoever asks loads none of their code: every workflow
 * that objects start has the key `objectKey`.
 */
import { type ObjectCreated, type Operations, refusalOf } from "@millrace/core";
import { Effect } from "effect";
import { Workflow } from "effect/workflow";
import { objectKey, objectPayload } from "./objectPayload.ts";
import type { BucketName, PipelineTopology } from "./topology.ts";

/** The executions that an object starts in some pipelines, of buckets with these real names. */
export const executionsOf = (
  among: ReadonlyArray<PipelineTopology>,
  buckets: Readonly<Record<BucketName, string>>,
) => {
  const known = among.map(({ name, trigger, workflow }) => ({
    name,
    trigger,
    identity: Workflow.make(workflow, { payload: objectPayload, idempotencyKey: objectKey }),
  }));
  return Effect.fnUntraced(function* (object: ObjectCreated) {
    const executions: Array<Operations.TriggeredExecution> = [];
    for (const { identity, name, trigger } of known) {
      if (refusalOf(trigger, buckets[trigger.bucket], object) !== undefined) continue;
      executions.push({ pipeline: name, executionId: yield* identity.executionId({ object }) });
    }
    return executions;
  });
};
