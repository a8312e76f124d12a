/** Rules about what starts pipelines, what is told, and what is kept to be replayed. */
import { EventPattern } from "@millrace/core";
import { topology } from "@millrace/workflows/topology";
import { Effect, Exit } from "effect";
import { type Graph, resourcesOf } from "../Graph.ts";
import { byArn, change, numberOf, objectOf, type Rule, textOf, without } from "../Rule.ts";
import { policyOf, resourcePoliciesIn } from "../statements.ts";

const rules = (graph: Graph) => resourcesOf(graph, "cloudwatch/eventRule");
const targets = (graph: Graph) => resourcesOf(graph, "cloudwatch/eventTarget");

/** Whether a queue's policy lets this rule in, and no other. */
const admits = (graph: Graph, queueArn: unknown, ruleArn: unknown): boolean =>
  resourcePoliciesIn(graph).some(
    ({ actions, conditions, effect, principals, resources }) =>
      effect === "Allow" &&
      actions.includes("sqs:SendMessage") &&
      principals.includes("Service:events.amazonaws.com") &&
      resources.includes(String(queueArn)) &&
      conditions.get("ArnEquals:aws:SourceArn")?.[0] === ruleArn &&
      conditions.has("StringEquals:aws:SourceAccount"),
  );

/** The rule of a target. */
const ruleOf = (graph: Graph, name: unknown) =>
  rules(graph).find(({ state }) => state["name"] === name);

/** Whether a rule with the pattern takes the event. */
export const matches = (pattern: string, event: object): boolean =>
  Exit.match(Effect.runSyncExit(EventPattern.compile(pattern)), {
    onFailure: () => false,
    onSuccess: (compiled) => compiled.matches(JSON.stringify(event)),
  });

const objectEvent = (bucket: unknown, key: string) => ({
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { bucket: { name: bucket }, object: { key, size: 1 } },
});

const bucketName = (graph: Graph, logical: string): unknown =>
  resourcesOf(graph, "s3/bucket").find(({ name }) => name.toLowerCase() === `${logical}bucket`)
    ?.state["bucket"];

export const eventRules: ReadonlyArray<Rule> = [
  {
    name: "every-pipeline-has-one-rule-that-takes-its-objects",
    requirements: ["C4", "D1.2"],
    violations: (graph) =>
      topology.pipelines.flatMap(({ name, trigger }) => {
        const suffix = trigger.suffixes[0];
        const event = objectEvent(bucketName(graph, trigger.bucket), `${trigger.prefix}a${suffix}`);
        const takes = rules(graph).filter(({ inputs }) =>
          matches(textOf(inputs, "eventPattern"), event),
        );
        return takes.length === 1 ? [] : [`${takes.length} rules take the objects of ${name}`];
      }),
    plant: (graph) =>
      change(graph, "cloudwatch/eventRule", { eventPattern: '{"source":["aws.s3"]}' }),
  },
  {
    name: "a-rule-wants-prefix-suffix-and-a-created-object",
    requirements: ["D1.2"],
    violations: (graph) =>
      topology.pipelines.flatMap(({ name, trigger }) => {
        const bucket = bucketName(graph, trigger.bucket);
        const suffix = trigger.suffixes[0];
        const strays = [
          objectEvent(bucket, `elsewhere/a${suffix}`),
          objectEvent(bucket, `${trigger.prefix}a.other`),
          objectEvent("another-bucket", `${trigger.prefix}a${suffix}`),
          {
            ...objectEvent(bucket, `${trigger.prefix}a${suffix}`),
            "detail-type": "Object Deleted",
          },
        ];
        return strays.flatMap((event) =>
          rules(graph).some(({ inputs }) => matches(textOf(inputs, "eventPattern"), event))
            ? [`${name}: ${JSON.stringify(event)} starts something`]
            : [],
        );
      }),
    plant: (graph) =>
      change(graph, "cloudwatch/eventRule", { eventPattern: '{"source":["aws.s3"]}' }),
  },
  {
    name: "what-a-pipeline-writes-starts-nothing",
    requirements: ["D1.3"],
    violations: (graph) =>
      topology.pipelines.flatMap(({ name, outputs, trigger }) =>
        outputs.flatMap(({ bucket, prefix, suffixes = trigger.suffixes }) =>
          suffixes
            .map((suffix) => objectEvent(bucketName(graph, bucket), `${prefix}a${suffix}`))
            .filter((event) =>
              rules(graph).some(({ inputs }) => matches(textOf(inputs, "eventPattern"), event)),
            )
            .map((event) => `${name} writes ${event.detail.object.key}, which starts something`),
        ),
      ),
    plant: (graph) =>
      change(graph, "cloudwatch/eventRule", { eventPattern: '{"source":["aws.s3"]}' }),
  },
  {
    name: "what-a-rule-cannot-deliver-is-kept",
    requirements: ["D1.12"],
    violations: (graph) =>
      targets(graph)
        .filter(
          ({ inputs }) => !byArn(graph, "sqs/queue", objectOf(inputs, "deadLetterConfig")["arn"]),
        )
        .map(({ name }) => `${name} drops it`),
    plant: (graph) => change(graph, "cloudwatch/eventTarget", { deadLetterConfig: {} }),
  },
  {
    name: "a-rule-may-write-to-its-queue-and-to-its-dead-letters",
    requirements: ["D1.12", "D4.11"],
    violations: (graph) =>
      targets(graph).flatMap(({ inputs, name }) => {
        const arn = ruleOf(graph, inputs["rule"])?.state["arn"];
        return [inputs["arn"], objectOf(inputs, "deadLetterConfig")["arn"]]
          .filter((queue) => !admits(graph, queue, arn))
          .map((queue) => `${name} may not write to ${String(queue)}`);
      }),
    plant: (graph) =>
      change(graph, "sqs/queuePolicy", { policy: policyOf() }, ({ name }) =>
        name.endsWith("UndeliveredPolicy"),
      ),
  },
  {
    name: "a-rule-tries-again-for-a-day",
    requirements: ["D1.12"],
    violations: (graph) =>
      targets(graph)
        .filter(({ inputs }) => {
          const policy = objectOf(inputs, "retryPolicy");
          return !(
            numberOf(policy, "maximumRetryAttempts") >= 2 &&
            numberOf(policy, "maximumEventAgeInSeconds") === 86_400
          );
        })
        .map(({ name }) => `${name} does not`),
    plant: (graph) => change(graph, "cloudwatch/eventTarget", { retryPolicy: {} }),
  },
  {
    name: "objects-and-executions-can-be-replayed",
    requirements: ["C5"],
    violations: (graph) => {
      const busArn = resourcesOf(graph, "cloudwatch/eventBus")[0]?.state["arn"];
      const kept = resourcesOf(graph, "cloudwatch/eventArchive").filter(
        ({ inputs }) => numberOf(inputs, "retentionDays") >= 7,
      );
      const event = objectEvent(bucketName(graph, "raw"), "incoming/a.csv");
      const ofObjects = kept.some(
        ({ inputs }) =>
          textOf(inputs, "eventSourceArn").endsWith(":event-bus/default") &&
          matches(textOf(inputs, "eventPattern"), event),
      );
      const ofExecutions = kept.some(({ inputs }) => inputs["eventSourceArn"] === busArn);
      return [
        ...(ofObjects ? [] : ["no archive keeps objects"]),
        ...(ofExecutions ? [] : ["no archive keeps executions"]),
      ];
    },
    plant: (graph) =>
      without(graph, "cloudwatch/eventArchive", ({ name }) => name.startsWith("Obj")),
  },
  {
    name: "topics-are-encrypted",
    requirements: ["D4.7", "D4.11"],
    violations: (graph) =>
      resourcesOf(graph, "sns/topic")
        .filter(({ inputs }) => textOf(inputs, "kmsMasterKeyId") === "")
        .map(({ name }) => `${name} is not`),
    plant: (graph) => change(graph, "sns/topic", { kmsMasterKeyId: "" }),
  },
  {
    name: "topics-take-nothing-without-tls",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcesOf(graph, "sns/topic")
        .filter(
          ({ state }) =>
            !resourcePoliciesIn(graph).some(
              ({ conditions, effect, resources }) =>
                effect === "Deny" &&
                resources.includes(String(state["arn"])) &&
                conditions.get("Bool:aws:SecureTransport")?.[0] === "false",
            ),
        )
        .map(({ name }) => `${name} does`),
    plant: (graph) => without(graph, "sns/topicPolicy"),
  },
  {
    name: "keys-are-turned-over",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcesOf(graph, "kms/key")
        .filter(({ inputs }) => inputs["enableKeyRotation"] !== true)
        .map(({ name }) => `${name} is not`),
    appliesTo: (graph) => resourcesOf(graph, "kms/key").length > 0,
    plant: (graph) => change(graph, "kms/key", { enableKeyRotation: false }),
  },
  {
    name: "what-is-scheduled-comes-as-often-as-the-topology-says",
    requirements: ["C4"],
    violations: (graph) =>
      [topology.sweeper, topology.reconciler]
        .filter(
          ({ everyMinutes, name }) =>
            !resourcesOf(graph, "scheduler/schedule").some(
              (schedule) =>
                schedule.name.toLowerCase() === `${name}schedule` &&
                schedule.inputs["scheduleExpression"] === `rate(${everyMinutes} minutes)`,
            ),
        )
        .map(({ name }) => `${name} does not`),
    plant: (graph) => change(graph, "scheduler/schedule", { scheduleExpression: "rate(1 days)" }),
  },
];
