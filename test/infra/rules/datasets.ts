/**
 * Rules about datasets: who may register tables and partitions in the data catalog, and in which table.
 *
 * What declares one is given, as the product's own topology has none: test/infra/dataset.test.ts holds the same rules over
 * the graph of a topology that has.
 */
import { variables } from "@millrace/functions/Environment";
import { type PipelineBase, topology } from "@millrace/workflows/topology";
import { type Graph, resourcesOf } from "../Graph.ts";
import { change, differences, isWatched, listOf, objectOf, type Rule, textOf } from "../Rule.ts";
import { policyOf, rightsIn } from "../statements.ts";
import { logicalName } from "./roles.ts";

type Declared = Pick<PipelineBase, "name" | "dataset" | "task">;

/** What the adapter calls, in IAM's words; test/infra/calledActions.test.ts compares it with its source. */
export const catalogActions: ReadonlyArray<string> = [
  "glue:BatchCreatePartition",
  "glue:CreateTable",
  "glue:GetTable",
  "glue:UpdateTable",
];

/** The crawler's role is no pipeline's. */
const crawler = "Crawler";

/** The roles of those that have a dataset, with the table of each. */
const registering = (graph: Graph, all: ReadonlyArray<Declared>) =>
  all.flatMap(({ dataset, name, task }) => {
    if (dataset === undefined) return [];
    const { table } = dataset;
    const fn = { role: `${logicalName(name)}Role`, table };
    const worker = { role: `${logicalName(name)}TaskWork`, table };
    return task && isWatched(graph) ? [fn, worker] : [fn];
  });

const databaseName = (graph: Graph): string =>
  textOf(resourcesOf(graph, "glue/catalogDatabase")[0]?.state ?? {}, "name");

/** The catalog's rights, as `role: action on what`. */
const catalogRights = (graph: Graph): ReadonlyArray<string> =>
  rightsIn(graph)
    .filter(({ owner }) => owner.name !== crawler)
    .flatMap(({ actions, owner, resources }) =>
      actions
        .filter((action) => action.startsWith("glue:"))
        .flatMap((action) =>
          resources.map((arn) => `${owner.name}: ${action} on ${arn.split(":").at(-1)}`),
        ),
    );

const wantedRights = (graph: Graph, all: ReadonlyArray<Declared>): ReadonlyArray<string> =>
  registering(graph, all).flatMap(({ role, table }) => {
    const database = databaseName(graph);
    return catalogActions.flatMap((action) =>
      ["catalog", `database/${database}`, `table/${database}/${table}`].map(
        (what) => `${role}: ${action} on ${what}`,
      ),
    );
  });

/** The database that functions and tasks are told, as `name: database`. */
const toldDatabases = (graph: Graph): ReadonlyArray<string> => [
  ...resourcesOf(graph, "lambda/function").flatMap(({ inputs, name }) => {
    const database = textOf(
      objectOf(objectOf(inputs, "environment"), "variables"),
      variables.catalogDatabase,
    );
    return database === "" ? [] : [`${name}: ${database}`];
  }),
  ...resourcesOf(graph, "ecs/taskDefinition").flatMap(({ inputs, name }) =>
    listOf({ all: JSON.parse(textOf(inputs, "containerDefinitions")) }, "all")
      .flatMap((container) => listOf(container, "environment"))
      .filter((variable) => variable["name"] === variables.catalogDatabase)
      .map((variable) => `${name}: ${textOf(variable, "value")}`),
  ),
];

const wantedDatabases = (graph: Graph, all: ReadonlyArray<Declared>): ReadonlyArray<string> =>
  all.flatMap(({ dataset, name, task }) => {
    if (dataset === undefined) return [];
    const made = [
      `${logicalName(name)}Function`,
      ...(task && isWatched(graph) ? [`${logicalName(name)}Task`] : []),
    ];
    return made.map((one) => `${one}: ${databaseName(graph)}`);
  });

/** Folders below `processed/` that the crawler is told to pass over. */
const passedOver = (graph: Graph): ReadonlyArray<string> =>
  resourcesOf(graph, "glue/crawler").flatMap(({ inputs }) =>
    listOf(inputs, "s3Targets").flatMap(({ exclusions }) =>
      Array.isArray(exclusions) ? exclusions.map(String) : [],
    ),
  );

/** A right on the whole catalog, in the role of a pipeline without a dataset. */
const grantAll = (graph: Graph): Graph =>
  change(
    graph,
    "iam/role",
    {
      inlinePolicies: [
        {
          name: "inline",
          policy: policyOf({
            Effect: "Allow",
            Action: catalogActions,
            Resource: "arn:aws:glue:eu-west-1:123456789012:table/results/any",
          }),
        },
      ],
    },
    ({ name }) => name === "ImageRenditionsRole",
  );

/** The rules, for these pipelines. */
export const datasetRulesOf = (all: ReadonlyArray<Declared>): ReadonlyArray<Rule> => [
  {
    name: "a-pipeline-registers-in-its-own-table-or-not-at-all",
    requirements: ["D1.8", "D3.5", "D4.11"],
    violations: (graph) => differences("rights", wantedRights(graph, all), catalogRights(graph)),
    plant: grantAll,
  },
  {
    name: "who-registers-is-told-the-database",
    requirements: ["D1.8", "C4"],
    violations: (graph) =>
      differences("databases", wantedDatabases(graph, all), toldDatabases(graph)),
    plant: (graph) =>
      change(
        graph,
        "lambda/function",
        { environment: { variables: { [variables.catalogDatabase]: "results" } } },
        ({ name }) => name === "ImageRenditionsFunction",
      ),
  },
  {
    name: "the-crawler-passes-over-datasets",
    requirements: ["D1.8"],
    violations: (graph) =>
      differences(
        "crawler",
        all.flatMap(({ dataset }) => (dataset ? [`${dataset.table}/**`] : [])),
        passedOver(graph),
      ),
    plant: (graph) =>
      change(graph, "glue/crawler", { s3Targets: [{ path: "s3://any/", exclusions: ["**"] }] }),
  },
];

/** Those of the product's own topology. */
export const datasetRules = datasetRulesOf([...topology.pipelines, ...topology.chains]);
