/**
 * Loops are refused before they are deployed (requirement D1.3): where something that a pipeline writes would start a
 * pipeline, its own or another, every upload would make further ones.
 *
 * One pipeline after another is no loop: it is said as such (`ChainTopology.after`), and not by objects that happen to
 * match. A ring of those, or one that follows nothing, is refused here, too.
 */
import { Effect, Schema } from "effect";
import type { ChainTopology, PipelineBase, PipelineOutput, PipelineTopology } from "./topology.ts";

/** One output that would start a pipeline, and why it would. */
const Loop = Schema.Struct({
  writer: Schema.String,
  starts: Schema.String,
  why: Schema.String,
});
type Loop = typeof Loop.Type;

/** The topology would feed on itself. */
export class TopologyLoops extends Schema.TaggedError<TopologyLoops>()("TopologyLoops", {
  loops: Schema.NonEmptyArray(Loop),
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    const pairs = this.loops.map(
      ({ starts, why, writer }) => `what ${writer} writes would start ${starts}: ${why}`,
    );
    return `the topology has a loop: ${pairs.join("; ")}. Give outputs a bucket or a prefix that no trigger has`;
  }
}

/** Fails with every pair of the topology of which the one would start the other. */
export const refuseLoops = (
  pipelines: ReadonlyArray<PipelineTopology>,
  chains: ReadonlyArray<ChainTopology> = [],
): Effect.Effect<void, TopologyLoops> => {
  const [first, ...rest] = [...findLoops(pipelines, chains), ...findRings(pipelines, chains)];
  return first ? Effect.fail(new TopologyLoops({ loops: [first, ...rest] })) : Effect.void;
};

/** Every pair of an output and a trigger that it matches. */
export const findLoops = (
  pipelines: ReadonlyArray<PipelineTopology>,
  chains: ReadonlyArray<ChainTopology> = [],
): ReadonlyArray<Loop> =>
  [...pipelines, ...chains].flatMap((writer: PipelineBase) =>
    writer.outputs.flatMap((output) =>
      pipelines.flatMap((started) => {
        const why = matchOf(output, started.trigger);
        return why === undefined ? [] : [{ writer: writer.name, starts: started.name, why }];
      }),
    ),
  );

/** Chains that do not lead back to a pipeline which objects start. */
export const findRings = (
  pipelines: ReadonlyArray<PipelineTopology>,
  chains: ReadonlyArray<ChainTopology>,
): ReadonlyArray<Loop> => {
  const started = new Set(pipelines.map(({ name }) => name));
  // Each round finds those that follow what is found already; what is left follows itself, or nothing.
  for (let before = -1; before < started.size;) {
    before = started.size;
    for (const { after, name } of chains) if (started.has(after)) started.add(name);
  }
  return chains
    .filter(({ name }) => !started.has(name))
    .map(({ after, name }) => ({
      writer: after,
      starts: name,
      why: `${name} follows ${after}, and no pipeline that objects start comes before them`,
    }));
};

/** Why some key can be of the output and of the trigger, or nothing when none can. */
const matchOf = (
  output: PipelineOutput,
  trigger: PipelineTopology["trigger"],
): string | undefined => {
  if (output.bucket !== trigger.bucket) return undefined;
  if (!eitherStarts(output.prefix, trigger.prefix)) return undefined;
  const suffix = commonSuffix(output.suffixes, trigger.suffixes);
  if (suffix === undefined) return undefined;
  return (
    `both are in bucket ${output.bucket}, ` +
    `the output's prefix ${quote(output.prefix)} meets the trigger's ${quote(trigger.prefix)}, ` +
    suffix
  );
};

const quote = (text: string): string => JSON.stringify(text);

const eitherStarts = (one: string, other: string): boolean =>
  one.startsWith(other) || other.startsWith(one);

/** Compared without regard to case: a trigger takes the lower and the upper spelling. */
const commonSuffix = (
  outputs: PipelineOutput["suffixes"],
  triggers: PipelineTopology["trigger"]["suffixes"],
): string | undefined => {
  if (!outputs) return `and the output's keys may end with ${triggers.join(" or ")}`;
  for (const output of outputs) {
    for (const trigger of triggers) {
      const [one, other] = [output.toLowerCase(), trigger.toLowerCase()];
      if (one.endsWith(other) || other.endsWith(one)) {
        return `and keys that end with ${output} can end with ${trigger}`;
      }
    }
  }
  return undefined;
};
