/**
 * A rule over a whole graph: what it demands, which requirements it stands for, what violates it, and a change of a
 * graph that it must notice. A rule that notices nothing is worth nothing, so each brings its own proof.
 */
import { Schema } from "effect";
import { type Graph, type Properties, type Resource, resourcesOf } from "./Graph.ts";

export interface Rule {
  /** A claim, in kebab case. */
  readonly name: string;
  /** Ids of requirements. */
  readonly requirements: ReadonlyArray<string>;
  /** Graphs that it is about. @default all */
  readonly appliesTo?: (graph: Graph) => boolean;
  /** What is against it, one line each. */
  readonly violations: (graph: Graph) => ReadonlyArray<string>;
  /** The graph with something in it that is against it. */
  readonly plant: (graph: Graph) => Graph;
}

export const isProduction = ({ app }: Graph): boolean => app.stage === "prod";

/** Stages with somebody on call: those that have alarms. */
export const isWatched = ({ app }: Graph): boolean => app.stage === "prod" || app.stage === "dev";

/** Stages that are deployed, and not run from a desk. */
export const isDeployed = (graph: Graph): boolean => !graph.dev;

/** The graph with the inputs and the state of the first resource of a type changed; it must have one that fits. */
export const change = (
  graph: Graph,
  type: string,
  changes: Properties,
  fits: (resource: Resource) => boolean = () => true,
): Graph => {
  const found = resourcesOf(graph, type).find(fits);
  if (!found) throw new Error(`there is no ${type} to plant something in`);
  const changed = {
    ...found,
    inputs: { ...found.inputs, ...changes },
    state: { ...found.state, ...changes },
  };
  return { ...graph, resources: graph.resources.map((one) => (one === found ? changed : one)) };
};

/** The graph without the resources of a type that fit. */
export const without = (
  graph: Graph,
  type: string,
  fits: (resource: Resource) => boolean = () => true,
): Graph => {
  const gone = new Set(resourcesOf(graph, type).filter(fits));
  if (gone.size === 0) throw new Error(`there is no ${type} to take away`);
  return { ...graph, resources: graph.resources.filter((one) => !gone.has(one)) };
};

/** A property as text, empty where it is none. */
export const textOf = (properties: Properties, key: string): string => {
  const value = properties[key];
  return typeof value === "string" ? value : "";
};

export const numberOf = (properties: Properties, key: string): number =>
  Number(properties[key] ?? Number.NaN);

const isProperties = Schema.is(Schema.Record(Schema.String, Schema.Unknown));

/** A property that is an object, or parses to one; empty where it is neither. */
export const objectOf = (properties: Properties, key: string): Properties => {
  const value = properties[key];
  if (typeof value === "string") {
    const parsed: unknown = JSON.parse(value);
    return isProperties(parsed) ? parsed : {};
  }
  return isProperties(value) ? value : {};
};

/** A property that is a list of objects. */
export const listOf = (properties: Properties, key: string): ReadonlyArray<Properties> => {
  const value = properties[key];
  return Array.isArray(value) ? value.filter(isProperties) : [];
};

/** What is in both lists or in neither is right; the rest is said. */
export const differences = (
  what: string,
  wanted: ReadonlyArray<string>,
  found: ReadonlyArray<string>,
): ReadonlyArray<string> => [
  ...wanted.filter((one) => !found.includes(one)).map((one) => `${what}: ${one} is missing`),
  ...found.filter((one) => !wanted.includes(one)).map((one) => `${what}: ${one} is too much`),
];

export const byArn = (graph: Graph, type: string, arn: unknown): Resource | undefined =>
  resourcesOf(graph, type).find(({ state }) => state["arn"] === arn);
