/**
 * What is added to the topology is deployed, with no second edit: a pipeline, a chain after it, functions that are kept
 * warm, a secret.
 */
import { assert, describe, it } from "@effect/vitest";
import { beforeAll } from "vitest";
import { type Graph, resourcesOf, synthesize } from "./Graph.ts";
import { byArn, listOf, objectOf, textOf } from "./Rule.ts";

let graph: Graph;
beforeAll(async () => {
  graph = await synthesize("prod", {
    topologyChanges: [
      [
        "export const pipelines = { csvToParquet, dailySales, imageRenditions } as const;",
        `const extra: PipelineTopology = {
           ...csvToParquet,
           name: "extra",
           trigger: { bucket: "raw", prefix: "extra/", suffixes: [".csv"] },
           outputs: [{ bucket: "clean", prefix: "extra/" }],
           compute: { ...csvToParquet.compute, provisionedCount: 2, architecture: "x86_64" },
           secrets: ["partner"],
           nativePackages: ["@duckdb/node-api"],
         };
         export const pipelines = { csvToParquet, dailySales, imageRenditions, extra } as const;`,
      ],
      [
        "export const chains: ReadonlyArray<ChainTopology> = [];",
        `export const chains: ReadonlyArray<ChainTopology> = [
           { ...csvToParquet, name: "after-extra", after: "extra", outputs: [] },
         ];`,
      ],
    ],
  });
}, 120_000);

const named = (type: string, name: string) => {
  const found = resourcesOf(graph, type).find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${type} ${name}`);
  return found;
};

describe("the topology", () => {
  it("deploys a pipeline that is added to it", () => {
    const rule = named("cloudwatch/eventRule", "ExtraRule");
    assert.include(textOf(rule.inputs, "eventPattern"), "extra/*.csv");
    const mapping = named("lambda/eventSourceMapping", "ExtraMapping");
    assert.isDefined(byArn(graph, "sqs/queue", mapping.inputs["eventSourceArn"]));
    assert.isTrue(
      resourcesOf(graph, "cloudwatch/metricAlarm").some(
        ({ name }) => name === "Alarm-extra-dead-letters",
      ),
    );
    const sweeper = named("lambda/function", "SweeperFunction");
    assert.include(JSON.stringify(sweeper.inputs["environment"]), "after-extra");
  });

  it("deploys a pipeline that follows another, on the product's own bus", () => {
    const rule = named("cloudwatch/eventRule", "AfterExtraRule");
    const [bus] = resourcesOf(graph, "cloudwatch/eventBus");
    assert.strictEqual(rule.inputs["eventBusName"], bus?.state["name"]);
    assert.deepStrictEqual(objectOf(rule.inputs, "eventPattern")["detail"], {
      pipeline: ["extra"],
    });
    const silence = named("cloudwatch/metricAlarm", "Alarm-after-extra-delivery");
    assert.containsAllKeys(silence.inputs["dimensions"], ["EventBusName", "RuleName"]);
    // It reads what the one before it has written.
    const rights = JSON.stringify(
      listOf(named("iam/role", "AfterExtraRole").inputs, "inlinePolicies"),
    );
    assert.include(rights, "cleanbucket-bdvfbzta/extra/*");
  });

  it("keeps functions warm where it says so, and invokes those", () => {
    const warm = resourcesOf(graph, "lambda/provisionedConcurrencyConfig");
    assert.deepStrictEqual(
      warm.map(({ inputs }) => inputs["provisionedConcurrentExecutions"]),
      [2],
    );
    const mapping = named("lambda/eventSourceMapping", "ExtraMapping");
    assert.match(textOf(mapping.inputs, "functionName"), /:1$/);
    assert.deepStrictEqual(named("lambda/function", "ExtraFunction").inputs["architectures"], [
      "x86_64",
    ]);
  });

  it("makes a secret for whoever names it, and lets nobody else read it", () => {
    const secret = named("secretsmanager/secret", "Secretpartner");
    const readers = resourcesOf(graph, "iam/role")
      .filter(({ inputs }) => JSON.stringify(inputs).includes(textOf(secret.state, "arn")))
      .map(({ name }) => name);
    assert.deepStrictEqual(readers.toSorted(), ["ExtraRole", "ExtraTaskWork"]);
  });

  it("gives a function DuckDB's code where it installs DuckDB, and nobody else", () => {
    const withCode = graph.builds.filter((build) => {
      const { external } = objectOf(objectOf(build, "properties"), "esbuild");
      assert(Array.isArray(external));
      return !external.includes("*/duckActivity.ts");
    });
    assert.deepStrictEqual(
      withCode.map((build) => objectOf(objectOf(build, "properties"), "install")),
      [{ "@duckdb/node-api": "*" }],
    );
  });
});
