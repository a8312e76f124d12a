/**
 * Goal: a topology in which an output would start a pipeline is refused with the pair and the reason; others pass.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import {
  findLoops,
  type PipelineOutput,
  pipelines,
  type PipelineTopology,
  refuseLoops,
} from "../src/topology.ts";

const topologyOf = (
  name: string,
  trigger: Partial<PipelineTopology["trigger"]>,
  outputs: ReadonlyArray<PipelineOutput> = [],
): PipelineTopology => ({
  ...pipelines.csvToParquet,
  name,
  trigger: { bucket: "raw", prefix: "in/", suffixes: [".csv"], ...trigger },
  outputs,
});

describe("a topology", () => {
  it("of the product has no loop", () => {
    assert.deepStrictEqual(findLoops(Object.values(pipelines)), []);
  });

  const loops: ReadonlyArray<[string, PipelineOutput]> = [
    ["prefix of the trigger's, any suffix", { bucket: "raw", prefix: "" }],
    ["longer prefix", { bucket: "raw", prefix: "in/done/" }],
    ["same prefix and suffix", { bucket: "raw", prefix: "in/", suffixes: [".csv"] }],
    ["suffix in another case", { bucket: "raw", prefix: "in/", suffixes: [".CSV"] }],
    ["longer suffix", { bucket: "raw", prefix: "in/", suffixes: [".txt", ".clean.csv"] }],
    ["shorter suffix", { bucket: "raw", prefix: "in/", suffixes: ["v"] }],
  ];
  for (const [what, output] of loops) {
    it(`whose output matches its trigger (${what}) has a loop`, () => {
      const [loop, ...more] = findLoops([topologyOf("a", {}, [output])]);
      assert.deepInclude(loop, { writer: "a", starts: "a" });
      assert.lengthOf(more, 0);
    });
  }

  const apart: ReadonlyArray<[string, PipelineOutput]> = [
    ["another bucket", { bucket: "clean", prefix: "in/" }],
    ["another prefix", { bucket: "raw", prefix: "out/" }],
    ["another suffix", { bucket: "raw", prefix: "in/", suffixes: [".parquet"] }],
  ];
  for (const [what, output] of apart) {
    it(`whose output lies apart from its trigger (${what}) has none`, () => {
      assert.deepStrictEqual(findLoops([topologyOf("a", {}, [output])]), []);
    });
  }

  it.effect(
    "in which one pipeline's output starts another is refused with every pair and why",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          refuseLoops([
            topologyOf("a", {}, [{ bucket: "clean", prefix: "x/" }]),
            topologyOf("b", { bucket: "clean", prefix: "x/y/" }, [
              { bucket: "raw", prefix: "in/" },
            ]),
          ]),
        );
        assert.deepStrictEqual(
          error.loops.map(({ starts, writer }) => `${writer} > ${starts}`),
          ["a > b", "b > a"],
        );
        assert.match(error.message, /bucket clean.*prefix "x\/" meets.*"x\/y\/".*\.csv/);
      }),
  );

  it.effect(
    "whose chains lead back to an object's pipeline passes; a ring of chains is refused",
    () =>
      Effect.gen(function* () {
        const { trigger: _, ...base } = topologyOf("a", {});
        const chain = (name: string, after: string) => ({ ...base, name, after, outputs: [] });
        const a = topologyOf("a", {});
        yield* refuseLoops([a], [chain("c", "b"), chain("b", "a")]);
        const ring = yield* Effect.flip(
          refuseLoops([a], [chain("b", "a"), chain("c", "d"), chain("d", "c"), chain("e", "x")]),
        );
        assert.deepStrictEqual(
          ring.loops.map(({ starts }) => starts),
          ["c", "d", "e"],
        );
        // What a chain writes may start nothing either.
        const writer = { ...chain("b", "a"), outputs: [{ bucket: "raw", prefix: "in/" } as const] };
        const loop = yield* Effect.flip(refuseLoops([a], [writer]));
        assert.deepInclude(loop.loops[0], { writer: "b", starts: "a" });
      }),
  );
});
