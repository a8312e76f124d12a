/**
 * What `pause` and `resume` have in common: which pipelines or execution is meant, and the pauses of the queues.
 */
import { MappingPauses, QueueTagPauses } from "@millrace/core/aws";
import { chains, pipelines } from "@millrace/workflows/topology";
import { Layer } from "effect";
import { Argument } from "effect/cli";
import type { Stage } from "./Stage.ts";

const every = [...Object.values(pipelines), ...chains];

/** The whole intake. */
const whole = "all";

/** A pipeline by name, all of them, or one execution. */
export const targetArgument = Argument.String("target").pipe(
  Argument.withDescription(
    `A pipeline (${every.map(({ name }) => name).join(", ")}), or all: the whole intake, or an execution: its id, its beginning, or a part of its object's key`,
  ),
);

/** The pipelines that the argument means; none when it means an execution. */
export const namedPipelines = (name: string) =>
  every.filter((pipeline) => name === whole || pipeline.name === name);

/** The pauses of a stage's pipelines, by the pipelines' names. */
export const layerPauses = (stage: Stage) => {
  const tags = QueueTagPauses.layerTags((name) => stage.queueNamed(name).url, stage.clients);
  return stage.pausedBy === "tag"
    ? tags
    : Layer.provide(
        MappingPauses.layerMappings((name) => stage.queueNamed(name).arn, stage.clients),
        tags,
      );
};
