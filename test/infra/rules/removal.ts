/** Rules about what a stage keeps, records and costs. */
import { resourcesOf } from "../Graph.ts";
import {
  change,
  isProduction,
  isWatched,
  numberOf,
  objectOf,
  type Rule,
  without,
} from "../Rule.ts";

const withData = [
  "s3/bucket",
  "dynamodb/table",
  "sqs/queue",
  "cloudwatch/eventBus",
  "cloudwatch/eventArchive",
  "cloudwatch/logGroup",
] as const;

/** What is paid for while nothing happens. */
const paidAtRest = [
  "cloudwatch/metricAlarm",
  "cloudwatch/dashboard",
  "kms/key",
  "ecr/repository",
  "ec2/natGateway",
  "ec2/vpcEndpoint",
  "cloudtrail/trail",
  "secretsmanager/secret",
  "lambda/provisionedConcurrencyConfig",
] as const;

export const removalRules: ReadonlyArray<Rule> = [
  {
    name: "production-keeps-its-data-when-it-is-removed",
    requirements: ["D4.12"],
    appliesTo: isProduction,
    violations: (graph) => [
      ...(graph.app.protect ? [] : ["the stage is not protected"]),
      ...withData.flatMap((type) =>
        resourcesOf(graph, type)
          .filter(
            ({ inputs, retainOnDelete }) => !retainOnDelete || inputs["forceDestroy"] === true,
          )
          .map(({ name }) => `${name} would be gone`),
      ),
    ],
    plant: (graph) => ({ ...graph, app: { ...graph.app, protect: false } }),
  },
  {
    name: "other-stages-leave-nothing-behind",
    requirements: ["D4.12"],
    appliesTo: (graph) => !isProduction(graph),
    violations: (graph) => [
      ...(graph.app.removal === "remove" ? [] : ["the stage is kept"]),
      ...graph.resources
        .filter(({ retainOnDelete }) => retainOnDelete)
        .map(({ name }) => `${name} stays`),
      ...resourcesOf(graph, "s3/bucket")
        .filter(({ inputs }) => inputs["forceDestroy"] !== true)
        .map(({ name }) => `${name} stays while it has objects`),
    ],
    plant: (graph) => change(graph, "s3/bucket", { forceDestroy: false }),
  },
  {
    name: "a-personal-stage-has-nothing-that-is-paid-at-rest",
    requirements: ["D1.1"],
    appliesTo: (graph) => !isWatched(graph),
    violations: (graph) =>
      paidAtRest.flatMap((type) => resourcesOf(graph, type).map(({ name }) => `${name} (${type})`)),
    plant: (graph) => {
      const [one] = graph.resources;
      if (!one) return graph;
      const alarm = { ...one, type: "aws:cloudwatch/metricAlarm:MetricAlarm" };
      return { ...graph, resources: [...graph.resources, alarm] };
    },
  },
  {
    name: "a-desk-that-is-left-gives-no-messages-up",
    requirements: ["D4.9"],
    appliesTo: ({ dev }) => dev,
    violations: (graph) =>
      resourcesOf(graph, "sqs/queue")
        .filter(({ inputs }) => "redrivePolicy" in inputs)
        .filter(
          ({ inputs }) => numberOf(objectOf(inputs, "redrivePolicy"), "maxReceiveCount") < 1_000,
        )
        .map(({ name }) => `${name} does`),
    plant: (graph) =>
      change(
        graph,
        "sqs/queue",
        { redrivePolicy: { maxReceiveCount: 3 } },
        ({ inputs }) => "redrivePolicy" in inputs,
      ),
  },
  {
    name: "who-touches-objects-in-production-is-recorded",
    requirements: ["D4.11"],
    appliesTo: isProduction,
    violations: (graph) => {
      const [trail] = resourcesOf(graph, "cloudtrail/trail");
      return trail?.inputs["enableLogFileValidation"] === true ? [] : ["it is not"];
    },
    plant: (graph) => without(graph, "cloudtrail/trail"),
  },
];
