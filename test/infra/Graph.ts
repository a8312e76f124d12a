/**
 * Everything that a deployment of a stage would make, as the real components ask for it.
 */
import { Schema } from "effect";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const Properties = Schema.Record(Schema.String, Schema.Unknown);
export type Properties = typeof Properties.Type;

const Resource = Schema.Struct({
  urn: Schema.String,
  type: Schema.String,
  name: Schema.String,
  custom: Schema.Boolean,
  parent: Schema.optionalKey(Schema.String),
  protect: Schema.Boolean,
  retainOnDelete: Schema.Boolean,
  /** What it was asked for with. */
  inputs: Properties,
  /** The same with what AWS would have answered. */
  state: Properties,
});
export type Resource = typeof Resource.Type;

export const Graph = Schema.Struct({
  app: Schema.Struct({
    name: Schema.String,
    stage: Schema.String,
    removal: Schema.String,
    protect: Schema.Boolean,
    providers: Properties,
  }),
  /** Whether its functions run on a desk. */
  dev: Schema.Boolean,
  outputs: Properties,
  resources: Schema.Array(Resource),
  builds: Schema.Array(Properties),
  /** Questions to AWS that nobody has thought of. */
  unknownCalls: Schema.Array(Schema.String),
  ms: Schema.Struct({ build: Schema.Finite, run: Schema.Finite }),
});
export type Graph = typeof Graph.Type;

const decodeGraph = Schema.decodeUnknownPromise(Schema.fromJsonString(Graph));

const run = promisify(execFile);
const synthesizer = join(import.meta.dirname, "synthesis", "synthesizer.mjs");

/** Largest graph, in bytes of JSON; that of prod is a tenth of it. */
const graphBytesMax = 50_000_000;

/** What a stage would be made of. Rejects with what the synthesis says when the config is refused. */
export const synthesize = async (
  stage: string,
  options: {
    readonly dev?: boolean;
    /** Texts of the topology, and what stands in their places. */
    readonly topologyChanges?: ReadonlyArray<readonly [string, string]>;
  } = {},
): Promise<Graph> => {
  const flags = [
    ...(options.dev === true ? ["--dev"] : []),
    "--topology-changes",
    JSON.stringify(options.topologyChanges ?? []),
  ];
  const { stdout } = await run(process.execPath, [synthesizer, stage, ...flags], {
    maxBuffer: graphBytesMax,
    env: { ...process.env, MILLRACE_CODE_VERSION: "test" },
  });
  return decodeGraph(stdout.trim().split("\n").at(-1) ?? "");
};

/** The resources of a type, e.g. `sqs/queue`. */
export const resourcesOf = (graph: Graph, type: string): ReadonlyArray<Resource> =>
  graph.resources.filter((resource) => {
    const [, path = ""] = /^aws:(.+):/.exec(resource.type) ?? [];
    return path.toLowerCase() === type.toLowerCase();
  });
