/**
 * A pipeline's rules: the topology's, but for the size, which the environment of the function may set: what is right
 * depends on the files that come, and is changed without a release.
 */
import { Config, Effect, Option } from "effect";
import type { PipelineBase } from "../topology.ts";
import type { ComputeRules } from "./chooseCompute.ts";

/** Objects of so many bytes and more go to the task. */
const bytesMinVariable = "MILLRACE_TASK_BYTES_MIN";

/** A number that is none is a mistake of the deployment, and stops the work. */
export const computeRulesOf = ({ computeRules = {} }: PipelineBase): Effect.Effect<ComputeRules> =>
  Config.option(Config.Finite(bytesMinVariable)).pipe(
    Effect.orDie,
    Effect.map(
      Option.match({
        onNone: () => computeRules,
        onSome: (bytesMin) => ({ ...computeRules, bytesMin }),
      }),
    ),
  );
