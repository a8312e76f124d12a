/**
 * What `pause` and `resume` have in common: which pipelines or execution is meant, and the pauses of the queues.
 */
import { QueueTagPauses } from "@millrace/core/aws";
import { type AwsConnection, clientConfig, localQueues, queueUrl } from "@millrace/local";
import { chains, pipelines } from "@millrace/workflows/topology";
import { Argument } from "effect/cli";

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

/** The queue of a pipeline, as the pauses know it. */
export const queueOf = (pipeline: (typeof every)[number]): string => localQueues(pipeline).queue;

/** Pauses behind the connection. */
export const layerPauses = (connection: AwsConnection) =>
  QueueTagPauses.layerTags(
    (queue) => queueUrl(connection.endpoint, queue),
    clientConfig(connection),
  );
