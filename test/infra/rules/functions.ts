/** Rules about functions: what they are told, where they write, how far they may go. */
import { variables } from "@millrace/functions/Environment";
import { topology } from "@millrace/workflows/topology";
import { type Graph, type Properties, type Resource, resourcesOf } from "../Graph.ts";
import {
  change,
  differences,
  isDeployed,
  isWatched,
  listOf,
  numberOf,
  objectOf,
  type Rule,
  textOf,
  without,
} from "../Rule.ts";
import { rightsIn } from "../statements.ts";
import { isHeapWithin } from "./isHeapWithin.ts";

const functions = (graph: Graph) => resourcesOf(graph, "lambda/function");

const isOfPipeline = ({ inputs }: Resource): boolean =>
  / pipeline [a-z-]+( \(live\))?$/.test(textOf(inputs, "description"));

/** Names of variables that SST itself gives a function, and Node's own. */
const notOurs = /^(SST_|NODE_OPTIONS$)/;

const told = ({ inputs }: Resource): ReadonlyArray<string> =>
  Object.keys(objectOf(objectOf(inputs, "environment"), "variables")).filter(
    (name) => !notOurs.test(name),
  );

const { buckets, ...others } = variables;
const sweeperVariables = [
  variables.journalTable,
  variables.executionsTable,
  variables.pipelineQueueUrls,
  variables.metricsNamespace,
];
/** What tasks are told of themselves. */
const sizeVariables: ReadonlySet<string> = new Set([
  variables.taskCpuUnits,
  variables.taskMemoryMb,
]);
/** How a function reaches its pipeline's tasks, where there are any. */
const taskVariables: ReadonlyArray<string> = [
  variables.taskCluster,
  variables.taskDefinition,
  variables.taskSubnets,
  variables.taskSecurityGroups,
];
const reconcilerVariables = [
  ...Object.values(buckets),
  variables.journalTable,
  variables.executionsTable,
  variables.metricsNamespace,
];
const { chains, pipelines, reconciler, sweeper } = topology;
const everyFunction = [...pipelines, ...chains, sweeper, reconciler];
const pipelineVariables = [...Object.values(buckets), ...Object.values(others)].filter(
  (name) =>
    name !== variables.pipelineQueueUrls &&
    !sizeVariables.has(name) &&
    // Only for a pipeline whose outputs are a dataset; rules/datasets.ts says whose.
    name !== variables.catalogDatabase &&
    !taskVariables.includes(name),
);

/** Of a stage with containers, the functions of pipelines with tasks. */
const hasTasks = (graph: Graph, { inputs }: Resource): boolean =>
  isWatched(graph) &&
  topology.pipelines.some(
    ({ name, task }) => task && textOf(inputs, "description").includes(` pipeline ${name}`),
  );

const wantedOf = (graph: Graph, fn: Resource): ReadonlyArray<string> =>
  hasTasks(graph, fn) ? [...pipelineVariables, ...taskVariables] : pipelineVariables;

const logOf = (graph: Graph, fn: Resource) =>
  resourcesOf(graph, "cloudwatch/logGroup").find(
    ({ state }) => state["name"] === objectOf(fn.inputs, "loggingConfig")["logGroup"],
  );

/** The variable, where it names a subnet that there is not. */
const unknownSubnets = (graph: Graph, all: Properties): ReadonlyArray<string> => {
  // The mocks' ids are made of the names.
  const known = new Set(resourcesOf(graph, "ec2/subnet").map(({ name }) => `${name}-id`));
  const told = textOf(all, variables.taskSubnets).split(",").filter(Boolean);
  return told.every((id) => known.has(id)) ? [] : [variables.taskSubnets];
};

export const functionRules: ReadonlyArray<Rule> = [
  {
    name: "every-pipeline-has-a-function-with-its-handler",
    requirements: ["C4", "D1.1"],
    violations: (graph) =>
      differences(
        "handlers",
        everyFunction.map(({ handler }) => `packages/functions/src/${handler}.handler`),
        graph.builds
          .map((build) => textOf(build, "handler"))
          .filter((handler) => !handler.endsWith("/uploads.handler")),
      ),
    plant: (graph) => ({ ...graph, builds: graph.builds.slice(1) }),
  },
  {
    name: "a-pipelines-function-is-told-exactly-what-it-reads",
    requirements: ["C4", "D1.9"],
    violations: (graph) =>
      functions(graph)
        .filter(isOfPipeline)
        .flatMap((fn) => differences(fn.name, wantedOf(graph, fn), told(fn))),
    plant: (graph) =>
      change(graph, "lambda/function", { environment: { variables: {} } }, isOfPipeline),
  },
  {
    name: "a-functions-heap-fits-its-memory",
    requirements: ["D1.16"],
    violations: (graph) =>
      functions(graph).flatMap(({ inputs, name }) => {
        const all = objectOf(objectOf(inputs, "environment"), "variables");
        return isHeapWithin(textOf(all, "NODE_OPTIONS"), numberOf(inputs, "memorySize"))
          ? []
          : [`${name}: ${textOf(all, "NODE_OPTIONS")}`];
      }),
    plant: (graph) =>
      change(graph, "lambda/function", {
        environment: { variables: { NODE_OPTIONS: "--max-old-space-size=100000" } },
      }),
  },
  {
    name: "sweeper-and-reconciler-are-told-exactly-what-they-read",
    requirements: ["C4"],
    violations: (graph) =>
      functions(graph).flatMap((fn) => {
        if (fn.name === "SweeperFunction") return differences(fn.name, sweeperVariables, told(fn));
        if (fn.name === "ReconcilerFunction")
          return differences(fn.name, reconcilerVariables, told(fn));
        return [];
      }),
    plant: (graph) =>
      change(
        graph,
        "lambda/function",
        { environment: { variables: { MILLRACE_BUS: "x" } } },
        ({ name }) => name === "SweeperFunction",
      ),
  },
  {
    name: "functions-are-told-names-of-what-there-is",
    requirements: ["C4"],
    violations: (graph) => {
      const known = new Set(
        graph.resources.flatMap(({ state }) => [
          state["name"],
          state["bucket"],
          state["arn"],
          state["url"],
        ]),
      );
      return functions(graph)
        .filter(isOfPipeline)
        .flatMap((fn) => {
          const all = objectOf(objectOf(fn.inputs, "environment"), "variables");
          return Object.keys(all)
            .filter((name) =>
              /^MILLRACE_(BUCKET|TABLE|QUEUE|DEAD|UNDEL|BUS|TOPIC|SCHED|CATALOG)/.test(name),
            )
            .filter((name) => !known.has(all[name]))
            .concat(unknownSubnets(graph, all))
            .map((name) => `${fn.name}: ${name} names nothing`);
        });
    },
    plant: (graph) =>
      change(
        graph,
        "lambda/function",
        { environment: { variables: { MILLRACE_BUS: "nothing" } } },
        isOfPipeline,
      ),
  },
  {
    name: "a-function-is-as-large-as-the-topology-says",
    requirements: ["D1.16", "D4.3"],
    violations: (graph) =>
      everyFunction.flatMap(({ compute, name }) => {
        const fn = functions(graph).find(
          (one) =>
            textOf(one.inputs, "description").includes(`pipeline ${name}`) ||
            one.name.toLowerCase() === `${name}function`,
        );
        const size = [
          numberOf(fn?.inputs ?? {}, "timeout"),
          numberOf(fn?.inputs ?? {}, "memorySize"),
        ];
        return size[0] === compute.timeoutSeconds && size[1] === compute.memoryMb
          ? []
          : [`${name}: ${size.join(" s, ")} MB`];
      }),
    plant: (graph) => change(graph, "lambda/function", { timeout: 3 }, isOfPipeline),
  },
  {
    name: "no-function-goes-beyond-the-limits-of-lambda",
    requirements: ["D1.16"],
    violations: (graph) =>
      functions(graph)
        .filter(
          ({ inputs }) =>
            numberOf(inputs, "timeout") > 900 ||
            numberOf(inputs, "memorySize") > 10_240 ||
            numberOf(objectOf(inputs, "ephemeralStorage"), "size") > 10_240,
        )
        .map(({ name }) => `${name} is too large`),
    plant: (graph) => change(graph, "lambda/function", { timeout: 901 }),
  },
  {
    name: "a-function-writes-to-its-own-log-which-ends",
    requirements: ["D1.15", "D4.12", "D3.5"],
    violations: (graph) =>
      functions(graph).flatMap((fn) => {
        const log = logOf(graph, fn);
        if (!log) return [`${fn.name} has no log of its own`];
        const days = numberOf(log.inputs, "retentionInDays");
        const arn = `${textOf(log.state, "arn")}:*`;
        const isAllowed = rightsIn(graph).some(
          ({ actions, resources }) =>
            actions.includes("logs:PutLogEvents") && resources.includes(arn),
        );
        if (!isAllowed) return [`${fn.name} may not write to its log`];
        return days > 0 ? [] : [`the log of ${fn.name} is kept for ever`];
      }),
    plant: (graph) => without(graph, "cloudwatch/logGroup"),
  },
  {
    name: "every-log-ends",
    requirements: ["D4.12"],
    violations: (graph) =>
      resourcesOf(graph, "cloudwatch/logGroup")
        .filter(({ inputs }) => !(numberOf(inputs, "retentionInDays") > 0))
        .map(({ name }) => `${name} is kept for ever`),
    plant: (graph) => change(graph, "cloudwatch/logGroup", { retentionInDays: 0 }),
  },
  {
    name: "functions-are-traced",
    requirements: ["D1.15"],
    violations: (graph) =>
      functions(graph)
        .filter(({ inputs }) => objectOf(inputs, "tracingConfig")["mode"] !== "Active")
        .map(({ name }) => `${name} is not`),
    plant: (graph) => change(graph, "lambda/function", { tracingConfig: { mode: "PassThrough" } }),
  },
  {
    name: "deployed-functions-run-the-current-node-on-arm",
    requirements: ["D1.19"],
    appliesTo: isDeployed,
    violations: (graph) =>
      functions(graph)
        .filter(
          ({ inputs }) =>
            inputs["runtime"] !== "nodejs24.x" ||
            JSON.stringify(inputs["architectures"]) !== '["arm64"]',
        )
        .map(({ name }) => `${name} does not`),
    plant: (graph) => change(graph, "lambda/function", { runtime: "nodejs18.x" }),
  },
  {
    name: "native-parts-are-installed-only-where-they-are-used",
    requirements: ["D1.19"],
    violations: (graph) =>
      [...topology.pipelines, ...topology.chains].flatMap(
        ({ handler, name, nativePackages = [] }) => {
          const build = graph.builds.find((one) => textOf(one, "handler").includes(`/${handler}.`));
          const installed = Object.keys(objectOf(objectOf(build ?? {}, "properties"), "install"));
          return differences(name, nativePackages, installed);
        },
      ),
    plant: (graph) => ({
      ...graph,
      builds: graph.builds.map((build) =>
        Object.assign({}, build, { properties: { install: { sharp: "*" } } }),
      ),
    }),
  },
  {
    name: "what-invokes-a-function-is-named",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcesOf(graph, "lambda/permission")
        .filter(({ inputs }) => textOf(inputs, "sourceArn") === "" || inputs["principal"] === "*")
        .map(({ name }) => `${name} lets anybody's resource invoke it`),
    plant: (graph) => change(graph, "lambda/permission", { sourceArn: "" }),
  },
  {
    name: "failed-schedules-and-invocations-are-kept",
    requirements: ["D1.12"],
    violations: (graph) => [
      ...resourcesOf(graph, "scheduler/schedule")
        .filter(({ inputs }) => {
          const target = objectOf(inputs, "target");
          return !("arn" in objectOf(target, "deadLetterConfig")) || !("retryPolicy" in target);
        })
        .map(({ name }) => `schedule ${name} forgets`),
      ...resourcesOf(graph, "lambda/functionEventInvokeConfig")
        .filter(
          ({ inputs }) =>
            numberOf(inputs, "maximumRetryAttempts") !== 2 ||
            !("onFailure" in objectOf(inputs, "destinationConfig")),
        )
        .map(({ name }) => `${name} forgets`),
    ],
    plant: (graph) => change(graph, "scheduler/schedule", { target: {} }),
  },
  {
    name: "resources-are-tagged-and-printed",
    requirements: ["D4.12"],
    violations: ({ app, outputs }) => {
      const tags = objectOf(objectOf(objectOf(app.providers, "aws"), "defaultTags"), "tags");
      const printed = [
        "buckets",
        "queues",
        "deadLetterQueues",
        "tables",
        "executionsTopic",
        "functions",
      ];
      return [
        ...(tags["stage"] === app.stage && "app" in tags ? [] : ["there are no tags"]),
        ...printed.filter((name) => !(name in outputs)).map((name) => `${name} is not printed`),
      ];
    },
    plant: (graph) => ({ ...graph, outputs: {} }),
  },
  {
    name: "uploads-are-authorised-and-limited",
    requirements: ["D4.1", "D4.11"],
    violations: (graph) => [
      ...resourcesOf(graph, "apigatewayv2/route")
        .filter(({ inputs }) => inputs["authorizationType"] !== "AWS_IAM")
        .map(({ name }) => `${name} is open to everybody`),
      ...resourcesOf(graph, "apigatewayv2/stage")
        .filter(
          ({ inputs }) =>
            !(numberOf(objectOf(inputs, "defaultRouteSettings"), "throttlingRateLimit") > 0),
        )
        .map(({ name }) => `${name} takes any number of requests`),
      ...(listOf({ found: resourcesOf(graph, "apigatewayv2/route") }, "found").length > 0
        ? []
        : ["there is no way to upload"]),
    ],
    plant: (graph) => change(graph, "apigatewayv2/route", { authorizationType: "NONE" }),
  },
  {
    name: "requests-for-uploads-are-logged",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcesOf(graph, "apigatewayv2/stage")
        .filter(({ inputs }) => !("destinationArn" in objectOf(inputs, "accessLogSettings")))
        .map(({ name }) => `${name} does not`),
    plant: (graph) => change(graph, "apigatewayv2/stage", { accessLogSettings: {} }),
  },
];
