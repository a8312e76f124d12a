/** How commands are told which pipeline is meant. */
import { pipelines } from "@millrace/workflows/topology";
import { Argument, Flag } from "effect/cli";

const names = Object.values(pipelines).map(({ name }) => name);

export const pipelineFlag = Flag.Literals("pipeline", names).pipe(
  Flag.withDescription("Only this pipeline; by default all"),
  Flag.optional,
);

export const pipelineArgument = Argument.Literals("pipeline", names).pipe(
  Argument.withDescription("The pipeline whose dead-letter queue it is"),
);
