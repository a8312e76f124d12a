/**
 * A pipeline whose outputs are a dataset is one entry in the topology: with it the pipeline's function and its task may
 * register that table, and nothing more; every rule over the catalog notices when it is otherwise.
 */
import { assert, describe, it } from "@effect/vitest";
import { pipelines, topology } from "@millrace/workflows/topology";
import { beforeAll } from "vitest";
import { type Graph, resourcesOf, synthesize } from "./Graph.ts";
import { change, listOf, objectOf, textOf } from "./Rule.ts";
import { rules } from "./rules.ts";
import { datasetRules, datasetRulesOf } from "./rules/datasets.ts";

/** The product's topology with a table for csv-to-parquet. */
const declared = datasetRulesOf([
  ...topology.pipelines.filter(({ name }) => name !== pipelines.csvToParquet.name),
  { ...pipelines.csvToParquet, dataset: { table: "sales" } },
]);

const stages = [
  ["prod", false],
  ["ann", true],
] as const;

let graphs: ReadonlyMap<string, Graph>;
beforeAll(async () => {
  const made = await Promise.all(
    stages.map(([stage, dev]) =>
      synthesize(stage, {
        dev,
        topologyChanges: [
          [
            `  task: { workflow: "CsvTransformTask"`,
            `  dataset: { table: "sales" },\n  task: { workflow: "CsvTransformTask"`,
          ],
        ],
      }),
    ),
  );
  graphs = new Map(made.map((graph) => [graph.app.stage, graph]));
}, 120_000);

const graphOf = (stage: string): Graph => {
  const graph = graphs.get(stage);
  if (!graph) throw new Error(`stage ${stage} was not synthesized`);
  return graph;
};

/** The graph with every text of a role's policy replaced. */
const replaced = (graph: Graph, role: string, from: string, to: string): Graph => {
  const isIt = ({ name }: { readonly name: string }) => name === role;
  const found = resourcesOf(graph, "iam/role").find(isIt);
  const inlinePolicies = listOf(found?.inputs ?? {}, "inlinePolicies").map((one) => ({
    name: "inline",
    policy: textOf(one, "policy").replaceAll(from, to),
  }));
  return change(graph, "iam/role", { inlinePolicies }, isIt);
};

/** What a role may do in the catalog. */
const catalogRightsOf = (role: string): string => {
  const found = resourcesOf(graphOf("prod"), "iam/role").find(({ name }) => name === role);
  return JSON.stringify(
    listOf(found?.inputs ?? {}, "inlinePolicies").flatMap((one) =>
      listOf(objectOf(one, "policy"), "Statement").filter((statement) =>
        JSON.stringify(statement).includes("glue:"),
      ),
    ),
  );
};

describe.each(stages)("a dataset in stage %s", (stage) => {
  it("keeps the rules, and every other rule but those that compare with the product's own", () => {
    const graph = graphOf(stage);
    assert.deepStrictEqual(
      declared.flatMap(({ violations }) => violations(graph)),
      [],
    );
    const own = new Set(datasetRules.map(({ name }) => name));
    const others = rules.filter(
      ({ appliesTo, name }) =>
        !own.has(name) &&
        // Which compares with the topology that has no dataset.
        name !== "a-pipelines-function-is-told-exactly-what-it-reads" &&
        (appliesTo?.(graph) ?? true),
    );
    assert.deepStrictEqual(
      others.flatMap(({ name, violations }) =>
        violations(graph).map((violation) => `${name}: ${violation}`),
      ),
      [],
    );
  });

  it.each(declared.map((rule) => [rule.name, rule] as const))(
    "%s notices what is planted",
    (_, { plant, violations }) => {
      assert.isNotEmpty(violations(plant(graphOf(stage))));
    },
  );

  it("would be noticed with a right too few, a right too many, another table or all of them", () => {
    const [rights] = declared;
    const found = [
      ['"glue:UpdateTable",', ""],
      ["glue:UpdateTable", "glue:DeleteTable"],
      ["_results/sales", "_results/other"],
      ["_results/sales", "_results/*"],
    ].map(([from = "", to = ""]) =>
      rights?.violations(replaced(graphOf(stage), "CsvToParquetRole", from, to)),
    );
    for (const violations of found) assert.isNotEmpty(violations);
  });
});

describe("the product's own topology", () => {
  it("has no dataset, so its rules find one in the graph", () => {
    for (const { name, violations } of datasetRules)
      assert.isNotEmpty(violations(graphOf("prod")), name);
  });
});

describe("the task of a pipeline with a dataset", () => {
  it("may what its function may, where there are tasks", () => {
    assert.include(catalogRightsOf("CsvToParquetTaskWork"), "table/millrace_prod_results/sales");
    assert.strictEqual(
      catalogRightsOf("CsvToParquetTaskWork"),
      catalogRightsOf("CsvToParquetRole"),
    );
    assert.strictEqual(catalogRightsOf("DailySalesRole"), "[]");
  });
});
