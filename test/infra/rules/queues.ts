/** Rules about queues, and about what puts messages in and takes them out. */
import {
  deadLetterRetentionSeconds,
  topology,
  visibilityTimeouts,
} from "@millrace/workflows/topology";
import { type Graph, type Resource, resourcesOf } from "../Graph.ts";
import {
  byArn,
  change,
  isDeployed,
  isProduction,
  numberOf,
  objectOf,
  type Rule,
  textOf,
  without,
} from "../Rule.ts";
import { policyOf, resourcePoliciesIn } from "../statements.ts";

const queues = (graph: Graph) => resourcesOf(graph, "sqs/queue");
const mappings = (graph: Graph) => resourcesOf(graph, "lambda/eventSourceMapping");
const targets = (graph: Graph) => resourcesOf(graph, "cloudwatch/eventTarget");

/** Queues that functions take from. */
const sources = (graph: Graph): ReadonlyArray<Resource> =>
  mappings(graph).flatMap(
    ({ inputs }) => byArn(graph, "sqs/queue", inputs["eventSourceArn"]) ?? [],
  );

const deadLetterArnOf = ({ inputs }: Resource): unknown =>
  objectOf(inputs, "redrivePolicy")["deadLetterTargetArn"];

/** Queues for what could not be processed or delivered. */
const lastStops = (graph: Graph): ReadonlyArray<Resource> => {
  const arns = new Set([
    ...sources(graph).map(deadLetterArnOf),
    ...targets(graph).map(({ inputs }) => objectOf(inputs, "deadLetterConfig")["arn"]),
    ...resourcesOf(graph, "scheduler/schedule").map(
      ({ inputs }) => objectOf(objectOf(inputs, "target"), "deadLetterConfig")["arn"],
    ),
  ]);
  return queues(graph).filter(({ state }) => arns.has(state["arn"]));
};

const policiesOf = (graph: Graph, queue: Resource) =>
  resourcePoliciesIn(graph).filter(({ owner }) => owner.inputs["queueUrl"] === queue.state["url"]);

/** The pipeline whose function a mapping invokes. */
const pipelineOf = (graph: Graph, mapping: Resource) => {
  const fn = byArn(graph, "lambda/function", mapping.inputs["functionName"]);
  // SST marks the description of a function that runs on a desk.
  const description = textOf(fn?.inputs ?? {}, "description").replace(/ \(live\)$/, "");
  return [...topology.pipelines, ...topology.chains].find(({ name }) =>
    description.endsWith(`pipeline ${name}`),
  );
};

const isSource = (graph: Graph) => (resource: Resource) =>
  sources(graph).some(({ urn }) => urn === resource.urn);

export const queueRules: ReadonlyArray<Rule> = [
  {
    name: "every-source-has-a-dead-letter-queue",
    requirements: ["D1.12", "D4.3", "D4.9"],
    violations: (graph) =>
      sources(graph)
        .filter((queue) => !byArn(graph, "sqs/queue", deadLetterArnOf(queue)))
        .map(({ name }) => `${name} gives messages up to nobody`),
    plant: (graph) => change(graph, "sqs/queue", { redrivePolicy: {} }, isSource(graph)),
  },
  {
    name: "messages-are-given-up-after-the-topologys-receives",
    requirements: ["D4.3", "D4.9"],
    appliesTo: isDeployed,
    violations: (graph) =>
      mappings(graph).flatMap((mapping) => {
        const queue = byArn(graph, "sqs/queue", mapping.inputs["eventSourceArn"]);
        const count = objectOf(queue?.inputs ?? {}, "redrivePolicy")["maxReceiveCount"];
        const wanted = pipelineOf(graph, mapping)?.queue.receiveCountMax;
        return count === wanted ? [] : [`${queue?.name}: ${String(count)}, not ${wanted}`];
      }),
    plant: (graph) => change(graph, "sqs/queue", { redrivePolicy: "{}" }, isSource(graph)),
  },
  {
    name: "dead-letters-are-kept-fourteen-days",
    requirements: ["D1.12", "D4.3"],
    violations: (graph) =>
      lastStops(graph)
        .filter(
          ({ inputs }) =>
            numberOf(inputs, "messageRetentionSeconds") !== deadLetterRetentionSeconds,
        )
        .map(({ name }) => `${name} keeps messages for less`),
    plant: (graph) =>
      change(graph, "sqs/queue", { messageRetentionSeconds: 345_600 }, ({ urn }) =>
        lastStops(graph).some((queue) => queue.urn === urn),
      ),
  },
  {
    name: "a-queue-hides-messages-for-six-timeouts",
    requirements: ["D4.3"],
    violations: (graph) =>
      mappings(graph).flatMap(({ inputs, name }) => {
        const fn = byArn(graph, "lambda/function", inputs["functionName"]);
        const queue = byArn(graph, "sqs/queue", inputs["eventSourceArn"]);
        const hidden = numberOf(queue?.inputs ?? {}, "visibilityTimeoutSeconds");
        const timeout = numberOf(fn?.inputs ?? {}, "timeout");
        return hidden === visibilityTimeouts * timeout ? [] : [`${name}: ${hidden} s`];
      }),
    plant: (graph) => change(graph, "sqs/queue", { visibilityTimeoutSeconds: 30 }, isSource(graph)),
  },
  {
    name: "a-queue-keeps-messages-as-long-as-the-topology-says",
    requirements: ["D4.3"],
    violations: (graph) =>
      mappings(graph).flatMap((mapping) => {
        const queue = byArn(graph, "sqs/queue", mapping.inputs["eventSourceArn"]);
        const kept = numberOf(queue?.inputs ?? {}, "messageRetentionSeconds");
        return kept === pipelineOf(graph, mapping)?.queue.retentionSeconds
          ? []
          : [`${queue?.name}: ${kept} s`];
      }),
    plant: (graph) => change(graph, "sqs/queue", { messageRetentionSeconds: 60 }, isSource(graph)),
  },
  {
    name: "queues-are-encrypted",
    requirements: ["D4.3", "D4.11"],
    violations: (graph) =>
      queues(graph)
        .filter(({ inputs }) => inputs["sqsManagedSseEnabled"] !== true)
        .map(({ name }) => `${name} is not encrypted`),
    plant: (graph) => change(graph, "sqs/queue", { sqsManagedSseEnabled: false }),
  },
  {
    name: "queues-take-nothing-without-tls",
    requirements: ["D4.11"],
    violations: (graph) =>
      queues(graph)
        .filter(
          (queue) =>
            !policiesOf(graph, queue).some(
              ({ conditions, effect, principals }) =>
                effect === "Deny" &&
                principals.includes("*") &&
                conditions.get("Bool:aws:SecureTransport")?.[0] === "false",
            ),
        )
        .map(({ name }) => `${name} has no such statement`),
    plant: (graph) => change(graph, "sqs/queuePolicy", { policy: policyOf() }),
  },
  {
    name: "a-queue-has-one-policy",
    requirements: ["D4.11"],
    violations: (graph) =>
      queues(graph).flatMap(({ name, state }) => {
        const count = resourcesOf(graph, "sqs/queuePolicy").filter(
          ({ inputs }) => inputs["queueUrl"] === state["url"],
        ).length;
        return count === 1 ? [] : [`${name} has ${count} policies, of which the last counts`];
      }),
    plant: (graph) => without(graph, "sqs/queuePolicy", ({ name }) => name.includes("Main")),
  },
  {
    name: "a-dead-letter-queue-takes-only-from-its-own-queue",
    requirements: ["D4.11"],
    violations: (graph) =>
      sources(graph)
        .filter(({ state, ...source }) => {
          const queue = byArn(graph, "sqs/queue", deadLetterArnOf({ state, ...source }));
          const allowed = resourcesOf(graph, "sqs/redriveAllowPolicy").find(
            ({ inputs }) => inputs["queueUrl"] === queue?.state["url"],
          );
          const policy = objectOf(allowed?.inputs ?? {}, "redriveAllowPolicy");
          const arns = policy["sourceQueueArns"];
          return !(Array.isArray(arns) && arns.length === 1 && arns[0] === state["arn"]);
        })
        .map(({ name }) => `the dead letters of ${name} may come from elsewhere`),
    plant: (graph) => without(graph, "sqs/redriveAllowPolicy"),
  },
  {
    name: "only-the-failed-messages-of-a-batch-return",
    requirements: ["D4.4"],
    violations: (graph) =>
      mappings(graph)
        .filter(
          ({ inputs }) =>
            JSON.stringify(inputs["functionResponseTypes"]) !== '["ReportBatchItemFailures"]',
        )
        .map(({ name }) => `${name} returns whole batches`),
    plant: (graph) => change(graph, "lambda/eventSourceMapping", { functionResponseTypes: [] }),
  },
  {
    name: "batches-and-concurrency-are-the-topologys",
    requirements: ["D4.4", "D1.1"],
    violations: (graph) =>
      mappings(graph).flatMap((mapping) => {
        const { inputs, name } = mapping;
        const compute = pipelineOf(graph, mapping)?.compute;
        const concurrency = objectOf(inputs, "scalingConfig")["maximumConcurrency"];
        return compute !== undefined &&
          inputs["batchSize"] === compute.batchSize &&
          concurrency === compute.concurrencyMax
          ? []
          : [`${name}: ${String(inputs["batchSize"])} messages, ${String(concurrency)} functions`];
      }),
    plant: (graph) => change(graph, "lambda/eventSourceMapping", { scalingConfig: {} }),
  },
  {
    name: "production-reserves-its-concurrency",
    requirements: ["D4.4"],
    appliesTo: isProduction,
    violations: (graph) =>
      mappings(graph).flatMap((mapping) => {
        const fn = byArn(graph, "lambda/function", mapping.inputs["functionName"]);
        const reserved = fn?.inputs["reservedConcurrentExecutions"];
        return reserved === pipelineOf(graph, mapping)?.compute.concurrencyMax
          ? []
          : [`${fn?.name}: ${String(reserved)}`];
      }),
    plant: (graph) =>
      change(graph, "lambda/function", { reservedConcurrentExecutions: 1 }, ({ name }) =>
        name.startsWith("ImageRenditions"),
      ),
  },
];
