/**
 * What `pause` and `resume` have in common: which pipelines are meant, and the pauses of their queues.
 */
import { QueueTagPauses } from "@millrace/core/aws";
import { type AwsConnection, clientConfig, localQueues, queueUrl } from "@millrace/local";
import { chains, pipelines } from "@millrace/workflows/topology";
import { Argument } from "effect/cli";

const every = [...Object.values(pipelines), ...chains];

/** The whole intake. */
const whole = "all";

/** A pipeline by name, or all of them. */
export const pipelinesArgument = Argument.Literals("pipeline", [
  whole,
  ...every.map(({ name }) => name),
]).pipe(
  Argument.withDescription(`${every.map(({ name }) => name).join(", ")}, or all: the whole intake`),
);

/** The pipelines that the argument means. */
export const namedPipelines = (name: string) =>
  every.filter((pipeline) => name === whole || pipeline.name === name);

/** The queue of a pipeline, as the pauses know it. */
export const queueOf = (pipeline: (typeof every)[number]): string => localQueues(pipeline).queue;

/** Pauses behind the connection. */
export const layerPauses = (connection: AwsConnection) =>
  QueueTagPauses.layerTags(
    (queue) => queueUrl(connection.endpoint, queue),
    clientConfig(connection),
  );
