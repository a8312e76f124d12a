/**
 * What every output object carries: how many pipelines its bytes have passed (requirement D1.3). An upload has passed
 * none; its outputs one. Chains are a few pipelines long, loops have no end: that is how they are told apart.
 */
import { Schema } from "effect";

/** The metadata's name; S3 gives it back in lower case. */
const depthName = "millrace-depth";

/**
 * An object that has passed this many pipelines starts none.
 * Raw to clean, clean to catalogue, catalogue to report: longer chains say so, by a trigger on another pipeline's end.
 */
export const depthMax = 3;

/** The input came out of pipelines already, more often than a chain does. */
export class LoopStopped extends Schema.TaggedError<LoopStopped>()("LoopStopped", {
  object: Schema.String,
  depth: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.object} has passed ${this.depth} pipelines already (its metadata ${depthName} says so), and is not processed: an output lies where it starts a pipeline. Separate their prefixes, then redrive`;
  }
}

/** How many pipelines the bytes of an object with this metadata have passed. What cannot be read counts as the most. */
export const depthOf = (metadata: Readonly<Record<string, string>>): number => {
  const text = metadata[depthName];
  if (text === undefined) return 0;
  return /^\d{1,3}$/.test(text) ? Number(text) : depthMax;
};

/** The metadata of an output that was made from an input with this metadata. */
export const outputMetadata = (
  input: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => ({ [depthName]: String(depthOf(input) + 1) });
