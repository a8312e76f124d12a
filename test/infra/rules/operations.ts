/** Rules about what is watched, and what is said to whoever is on call. */
import { topology } from "@millrace/workflows/topology";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Graph, type Resource, resourcesOf } from "../Graph.ts";
import {
  change,
  isWatched,
  listOf,
  numberOf,
  objectOf,
  type Rule,
  textOf,
  without,
} from "../Rule.ts";

const alarms = (graph: Graph) => resourcesOf(graph, "cloudwatch/metricAlarm");

interface Number {
  readonly metric: string;
  readonly dimension: string;
}

/** What an alarm looks at, by itself or in an expression. */
const watchedBy = ({ inputs }: Resource): ReadonlyArray<Number> =>
  [inputs, ...listOf(inputs, "metricQueries").map((query) => objectOf(query, "metric"))].flatMap(
    (one) =>
      Object.values(objectOf(one, "dimensions")).map((dimension) => ({
        metric: textOf(one, "metricName"),
        dimension: String(dimension),
      })),
  );

/** Resources of a type of which no alarm watches the metric. */
const unwatched = (
  graph: Graph,
  type: string,
  metrics: ReadonlyArray<string>,
  fits: (resource: Resource) => boolean = () => true,
): ReadonlyArray<string> => {
  const watched = new Set(
    alarms(graph).flatMap((alarm) =>
      watchedBy(alarm).map(({ dimension, metric }) => `${metric} ${dimension}`),
    ),
  );
  return resourcesOf(graph, type)
    .filter(fits)
    .flatMap(({ name, state }) =>
      metrics
        .filter((metric) => !watched.has(`${metric} ${String(state["name"])}`))
        .map((metric) => `nobody watches ${metric} of ${name}`),
    );
};

const isLastStop = ({ name }: Resource): boolean => /DeadLetters|Undelivered|Failures/.test(name);

/** Headings of docs/operations.md, as links name them. */
const sections = (): ReadonlyArray<string> =>
  readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .map((line) =>
      line
        .replace(/^#+ /, "")
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    );

/** Metrics that must have an alarm for every pipeline, by the requirement's own list. */
const sums = [
  "ExecutionsStarted",
  "DuplicatesAbsorbed",
  "ExecutionsParked",
  "OldestInFlightMs",
] as const;

const takeAlarms = (graph: Graph, pattern: RegExp): Graph =>
  without(graph, "cloudwatch/metricAlarm", ({ name }) => pattern.test(name));

/** What may go wrong with a pipeline, by the ends of its alarms' names. */
const kinds = [
  "dead-letters",
  "undelivered",
  "oldest-message",
  "errors",
  "error-rate",
  "throttles",
  "duration",
  "conservation",
  "conservation-gap",
  "starts-per-upload",
  "delivery",
  "silence",
  "parked",
  "stuck",
] as const;

export const operationRules: ReadonlyArray<Rule> = [
  {
    name: "dead-letters-are-watched",
    requirements: ["D4.9", "D4.13"],
    appliesTo: isWatched,
    violations: (graph) =>
      unwatched(graph, "sqs/queue", ["ApproximateNumberOfMessagesVisible"], isLastStop),
    plant: (graph) => takeAlarms(graph, /dead-letters$/),
  },
  {
    name: "waiting-messages-are-watched",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    violations: (graph) =>
      unwatched(
        graph,
        "sqs/queue",
        ["ApproximateAgeOfOldestMessage"],
        (queue) => !isLastStop(queue),
      ),
    plant: (graph) => takeAlarms(graph, /oldest-message$/),
  },
  {
    name: "functions-are-watched",
    requirements: ["D1.15", "D4.13"],
    appliesTo: isWatched,
    violations: (graph) =>
      unwatched(graph, "lambda/function", ["Errors", "Invocations", "Throttles", "Duration"]),
    plant: (graph) => takeAlarms(graph, /throttles$/),
  },
  {
    name: "tables-are-watched",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    violations: (graph) =>
      unwatched(graph, "dynamodb/table", ["ReadThrottleEvents", "WriteThrottleEvents"]),
    plant: (graph) => takeAlarms(graph, /table-journal/),
  },
  {
    name: "rules-are-watched-for-failures-and-silence",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    // There may be no large object for days: the silence of the rule of tasks says nothing.
    violations: (graph) => [
      ...unwatched(graph, "cloudwatch/eventRule", ["FailedInvocations"]),
      ...unwatched(
        graph,
        "cloudwatch/eventRule",
        ["MatchedEvents"],
        ({ name }) => !name.endsWith("TasksRule"),
      ),
    ],
    plant: (graph) => takeAlarms(graph, /delivery$/),
  },
  {
    name: "the-sums-of-every-pipeline-are-watched",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    violations: (graph) =>
      topology.pipelines.flatMap(({ name }) =>
        sums
          .filter(
            (metric) =>
              !alarms(graph).some((alarm) =>
                watchedBy(alarm).some((one) => one.metric === metric && one.dimension === name),
              ),
          )
          .map((metric) => `nobody watches ${metric} of ${name}`),
      ),
    plant: (graph) => takeAlarms(graph, /conservation$/),
  },
  {
    name: "forgotten-executions-are-watched",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    violations: (graph) =>
      ["ForgottenExecutions"].filter(
        (metric) => !alarms(graph).some((alarm) => textOf(alarm.inputs, "metricName") === metric),
      ),
    plant: (graph) => takeAlarms(graph, /forgotten/),
  },
  {
    name: "one-error-and-one-throttle-are-enough",
    requirements: ["D4.13"],
    appliesTo: isWatched,
    violations: (graph) =>
      alarms(graph)
        .filter(({ name }) => /-(?:errors|throttles|dead-letters)$/.test(name))
        .filter(
          ({ inputs }) =>
            numberOf(inputs, "threshold") !== 0 ||
            numberOf(inputs, "evaluationPeriods") !== 1 ||
            numberOf(inputs, "period") > 60,
        )
        .map(({ name }) => `${name} waits`),
    plant: (graph) =>
      change(graph, "cloudwatch/metricAlarm", { evaluationPeriods: 3 }, ({ name }) =>
        name.endsWith("-throttles"),
      ),
  },
  {
    name: "every-pipeline-has-every-kind-of-alarm",
    requirements: ["D1.15", "D4.13"],
    appliesTo: isWatched,
    violations: (graph) => {
      const known = new Set(alarms(graph).map(({ name }) => name));
      return [...topology.pipelines, ...topology.chains].flatMap(({ name }) =>
        kinds
          .filter((kind) => !known.has(`Alarm-${name}-${kind}`))
          .map((kind) => `${name} has no alarm ${kind}`),
      );
    },
    plant: (graph) => takeAlarms(graph, /-starts-per-upload$/),
  },
  {
    name: "what-does-not-add-up-is-watched",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    violations: (graph) =>
      topology.pipelines
        .filter(
          ({ name }) =>
            !alarms(graph).some(
              ({ inputs }) =>
                textOf(inputs, "metricName") === "ConservationGap" &&
                objectOf(inputs, "dimensions")["Pipeline"] === name &&
                numberOf(inputs, "threshold") === 0,
            ),
        )
        .map(({ name }) => `nobody watches the gap of ${name}`),
    plant: (graph) => takeAlarms(graph, /conservation-gap$/),
  },
  {
    name: "what-is-scheduled-is-watched-for-silence-and-failures",
    requirements: ["D1.15"],
    appliesTo: isWatched,
    violations: (graph) =>
      [topology.sweeper, topology.reconciler].flatMap(({ name }) =>
        ["silence", "failures", "errors"]
          .filter((kind) => !alarms(graph).some((alarm) => alarm.name === `Alarm-${name}-${kind}`))
          .map((kind) => `nobody watches the ${kind} of ${name}`),
      ),
    plant: (graph) => takeAlarms(graph, /reconciler-silence$/),
  },
  {
    name: "an-alarm-says-when-it-begins-and-when-it-ends",
    requirements: ["D4.13"],
    appliesTo: isWatched,
    violations: (graph) =>
      alarms(graph)
        .filter(({ inputs }) =>
          ["alarmActions", "okActions"].some((key) => JSON.stringify(inputs[key] ?? []) === "[]"),
        )
        .map(({ name }) => `${name} does not`),
    plant: (graph) => change(graph, "cloudwatch/metricAlarm", { okActions: [] }),
  },
  {
    name: "an-alarm-says-what-to-do",
    requirements: ["D4.13"],
    appliesTo: isWatched,
    violations: (graph) => {
      const known = sections();
      return alarms(graph)
        .filter(({ inputs }) => {
          const text = textOf(inputs, "alarmDescription");
          const section = /docs\/operations\.md#([a-z-]+)$/.exec(text)?.[1];
          return section === undefined || !known.includes(section) || !text.includes(" Do: ");
        })
        .map(({ inputs, name }) => `${name}: ${textOf(inputs, "alarmDescription")}`);
    },
    plant: (graph) =>
      change(graph, "cloudwatch/metricAlarm", { alarmDescription: "See docs/operations.md#none" }),
  },
  {
    name: "there-is-one-dashboard-with-two-rows",
    requirements: ["D1.15", "D3.4"],
    appliesTo: isWatched,
    violations: (graph) => {
      const [one, ...more] = resourcesOf(graph, "cloudwatch/dashboard");
      const body = textOf(one?.inputs ?? {}, "dashboardBody");
      return one && more.length === 0 && body.includes("## Business") && body.includes("## System")
        ? []
        : ["there is not"];
    },
    plant: (graph) => change(graph, "cloudwatch/dashboard", { dashboardBody: "{}" }),
  },
  {
    name: "the-usual-questions-are-saved",
    requirements: ["D1.15"],
    violations: (graph) =>
      ["errors", "durations", "cold-starts", "files-per-hour", "slowest"]
        .filter(
          (name) =>
            !resourcesOf(graph, "cloudwatch/queryDefinition").some(({ inputs }) =>
              textOf(inputs, "name").endsWith(`/${name}`),
            ),
        )
        .map((name) => `${name} is not`),
    plant: (graph) => without(graph, "cloudwatch/queryDefinition"),
  },
];
