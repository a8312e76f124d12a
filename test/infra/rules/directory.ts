/** Rules about the stage's directory, by which the command finds what it works on. */
import { PipelineDocument, StageDocument } from "@millrace/functions/StageDirectory";
import { topology } from "@millrace/workflows/topology";
import { Option, Schema } from "effect";
import { type Graph, resourcesOf } from "../Graph.ts";
import { change, differences, type Rule, textOf, without } from "../Rule.ts";

const parameters = (graph: Graph) => resourcesOf(graph, "ssm/parameter");

const valueOf = (graph: Graph, name: string): unknown => {
  const found = parameters(graph).find(({ inputs }) => textOf(inputs, "name") === name);
  return found && JSON.parse(textOf(found.inputs, "value"));
};

const decodeStage = Schema.decodeUnknownOption(StageDocument);
const decodePipeline = Schema.decodeUnknownOption(PipelineDocument);

/** Standard parameters have no more; what is larger would be refused at the deployment, or be paid for. */
const charactersMax = 4_096;

/** Texts that are the property of some resource of the type. */
const known = (graph: Graph, type: string, property: string): ReadonlySet<string> =>
  new Set(resourcesOf(graph, type).map(({ state }) => textOf(state, property)));

const unknown = (what: string, names: ReadonlyArray<string>, all: ReadonlySet<string>) =>
  names
    .filter((name) => !all.has(name))
    .map((name) => `the directory names ${what} ${name}, which is not there`);

const isSsm =
  (name: string) =>
  ({ inputs }: { readonly inputs: Readonly<Record<string, unknown>> }) =>
    textOf(inputs, "name").endsWith(name);

export const directoryRules: ReadonlyArray<Rule> = [
  {
    name: "the-directory-names-the-buckets-tables-and-archive-of-the-stage",
    requirements: ["D4.12"],
    violations: (graph) => {
      const stage = decodeStage(valueOf(graph, `/millrace/${graph.app.stage}/stage`));
      if (Option.isNone(stage)) return ["there is no directory of the stage that could be read"];
      const { buckets, objectsArchiveArn, tables } = stage.value;
      return [
        ...unknown("the bucket", Object.values(buckets), known(graph, "s3/bucket", "bucket")),
        ...unknown("the table", Object.values(tables), known(graph, "dynamodb/table", "name")),
        ...unknown(
          "the archive",
          [objectsArchiveArn],
          known(graph, "cloudwatch/eventArchive", "arn"),
        ),
      ];
    },
    plant: (graph) => change(graph, "ssm/parameter", { value: "{}" }, isSsm("/stage")),
  },
  {
    name: "the-directory-names-the-queues-of-every-pipeline",
    requirements: ["D4.12"],
    violations: (graph) => {
      const folder = `/millrace/${graph.app.stage}/pipelines/`;
      const listed = parameters(graph)
        .map(({ inputs }) => textOf(inputs, "name"))
        .filter((name) => name.startsWith(folder));
      const queues = known(graph, "sqs/queue", "arn");
      return [
        ...differences(
          "pipelines in the directory",
          [...topology.pipelines, ...topology.chains].map(({ name }) => folder + name),
          listed,
        ),
        ...listed.flatMap((name) => {
          const pipeline = decodePipeline(valueOf(graph, name));
          if (Option.isNone(pipeline)) return [`${name} cannot be read`];
          return unknown(
            "the queue",
            Object.values(pipeline.value).map(({ arn }) => arn),
            queues,
          );
        }),
      ];
    },
    plant: (graph) => without(graph, "ssm/parameter", isSsm("/pipelines/csv-to-parquet")),
  },
  {
    name: "the-directory-fits-into-standard-parameters",
    requirements: ["D1.16"],
    violations: (graph) =>
      parameters(graph)
        .filter(({ inputs }) => textOf(inputs, "value").length > charactersMax)
        .map(({ name }) => `${name} has more than ${charactersMax} characters`),
    plant: (graph) =>
      change(graph, "ssm/parameter", { value: " ".repeat(charactersMax + 1) }, isSsm("/stage")),
  },
];
