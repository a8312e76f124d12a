/**
 * The real sst.config.ts with SST's real components: what each kind of stage would be made of, and every rule over it.
 *
 * Each rule is shown to notice what it is there for: it must find what it planted itself.
 */
import { assert, describe, it } from "@effect/vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { atRest } from "../../packages/cli/src/cost/costOf.ts";
import { type Graph, resourcesOf } from "./Graph.ts";
import { renderReport, unanswered } from "./report.ts";
import { listOf } from "./Rule.ts";
import { rules } from "./rules.ts";
import { stages, synthesizeStages } from "./stages.ts";

let graphs: ReadonlyMap<string, Graph>;
beforeAll(async () => {
  graphs = new Map((await synthesizeStages()).map((graph) => [graph.app.stage, graph]));
}, 120_000);

const graphOf = (stage: string): Graph => {
  const graph = graphs.get(stage);
  if (!graph) throw new Error(`stage ${stage} was not synthesized`);
  return graph;
};

/** The lines without their spaces: the formatter aligns tables. */
const rowsOf = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.replaceAll(/[\s-]+/g, ""))
    .filter((line) => line !== "");

const applicable = (graph: Graph) => rules.filter(({ appliesTo }) => appliesTo?.(graph) ?? true);

describe("the rules", () => {
  it("are many, and each has a name of its own and a requirement", () => {
    assert.isAtLeast(rules.length, 30);
    assert.strictEqual(new Set(rules.map(({ name }) => name)).size, rules.length);
    for (const { name, requirements } of rules) assert.isNotEmpty(requirements, name);
  });

  it.each(rules.map((rule) => [rule.name, rule] as const))(
    "%s notices what is planted",
    (_, rule) => {
      const graph = [...graphs.values()].find((one) => rule.appliesTo?.(one) ?? true);
      if (!graph) throw new Error("there is no stage that it is about");
      assert.isNotEmpty(rule.violations(rule.plant(graph)));
    },
  );
});

describe.each(stages)("stage $stage", ({ stage }) => {
  it("asks AWS nothing that the mocks do not answer", () => {
    assert.deepStrictEqual(graphOf(stage).unknownCalls, []);
  });

  it("keeps every rule", () => {
    const graph = graphOf(stage);
    const kept = applicable(graph);
    assert.isAbove(kept.length, 30);
    const found = kept.flatMap(({ name, violations }) =>
      violations(graph).map((violation) => `${name}: ${violation}`),
    );
    assert.deepStrictEqual(found, []);
  });
});

describe("docs/stacks.md", () => {
  it("says what is deployed; `npm run stacks` writes it anew", () => {
    const written = readFileSync(join(import.meta.dirname, "../../docs/stacks.md"), "utf8");
    const rendered = renderReport([...graphs.values()], rules);
    assert.deepStrictEqual(rowsOf(written), rowsOf(rendered));
  });

  it("answers for every requirement that the stacks are a part of", () => {
    assert.deepStrictEqual(unanswered(rules), []);
  });
});

describe("millrace cost", () => {
  it("counts what is paid for at rest as it is deployed", () => {
    const graph = graphOf("prod");
    const count = (type: string): number => resourcesOf(graph, type).length;
    const alarmMetrics = resourcesOf(graph, "cloudwatch/metricAlarm").map(({ inputs }) =>
      Math.max(1, listOf(inputs, "metricQueries").filter((query) => "metric" in query).length),
    );
    assert.deepStrictEqual(
      {
        alarmMetrics: alarmMetrics.reduce((sum, one) => sum + one, 0),
        dashboards: count("cloudwatch/dashboard"),
        keys: count("kms/key"),
        hostedZones: count("servicediscovery/privateDnsNamespace"),
        // Five pollers for each queue, of which each asks every twenty seconds of a month.
        idleReceives: count("lambda/eventSourceMapping") * 5 * 3 * 60 * 24 * 30,
      },
      {
        alarmMetrics: atRest.alarmMetrics,
        dashboards: atRest.dashboards,
        keys: atRest.keys,
        hostedZones: atRest.hostedZones,
        idleReceives: atRest.idleReceives,
      },
    );
  });
});
