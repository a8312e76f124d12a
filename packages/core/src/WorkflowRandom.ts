/**
 * The randomness that a workflow's body draws from: the same numbers in every replay of the same execution.
 *
 * Seeded by the execution's id when the body first asks. Activities draw from the process's own generator.
 */
import { Effect, Random } from "effect";

/** A generator for one run of the body of that execution. */
export const makeWorkflowRandom = (executionId: string): Random.Random => {
  let seeded: Random.Random | undefined;
  const generator = () =>
    (seeded ??= Effect.runSync(Random.withSeed(Effect.service(Random.Random), executionId)));
  return {
    nextDoubleUnsafe: () => generator().nextDoubleUnsafe(),
    nextIntUnsafe: () => generator().nextIntUnsafe(),
  };
};
