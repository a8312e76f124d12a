/**
 * The real sst.config.ts with SST's real components: what each kind of stage would be made of.
 */
import { assert, describe, it } from "@effect/vitest";
import { variables } from "@millrace/functions/Environment";
import { topology } from "@millrace/workflows/topology";
import { beforeAll } from "vitest";
import { type Graph, resourcesOf, synthesize } from "./Graph.ts";

const stages = [
  { stage: "prod", dev: false },
  { stage: "dev", dev: false },
  { stage: "ann", dev: true },
] as const;

describe.each(stages)("stage $stage", ({ dev, stage }) => {
  let graph: Graph;
  beforeAll(async () => {
    graph = await synthesize(stage, { dev });
  });

  it("asks AWS nothing that the mocks do not answer", () => {
    assert.deepStrictEqual(graph.unknownCalls, []);
    assert.strictEqual(graph.app.stage, stage);
  });

  it("has a queue, a rule and a function for every pipeline of the topology", () => {
    const pipelines = [...topology.pipelines, ...topology.chains];
    assert.isAbove(pipelines.length, 1);
    assert.strictEqual(resourcesOf(graph, "cloudwatch/eventRule").length, pipelines.length);
    assert.strictEqual(resourcesOf(graph, "lambda/eventSourceMapping").length, pipelines.length);
    assert.strictEqual(variables.busName, "MILLRACE_BUS");
  });
});
