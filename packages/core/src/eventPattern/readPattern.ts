/**
 * Reads a whole pattern into conjunctions: each `$or` multiplies them, a field becomes one dotted path.
 *
 * Fields are taken in the order of the text, because a path that is written twice keeps its last list, also across the
 * edge of a `$or` branch.
 */
import { InvalidEventPattern } from "./InvalidEventPattern.ts";
import { readJson, type JsonNode } from "./JsonText.ts";
import { readMatcher } from "./readMatcher.ts";
import type { ValueMatcher } from "./ValueMatcher.ts";

/** All fields of one conjunction: dotted path to the alternatives for its value. */
export type Conjunction = ReadonlyMap<string, ReadonlyArray<ValueMatcher>>;

/** Combinations that `$or` may make. Source: EventBridge user guide, "Considerations when using $or". */
const combinationsMax = 1_000;

/** Names that a field inside `$or` may not have. Source: Constants of aws/event-ruler 2.0.1. */
const reservedInsideOr: ReadonlySet<string> = new Set(
  [
    "exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr",
    "= < <= > >= regex not-wildcard not-equals-ignore-case",
    "date-after date-on-or-after date-before date-on-or-before in-date-range",
    "ip-address-in-range ip-address-not-in-range",
  ].flatMap((names) => names.split(" ")),
);

/** Throws InvalidEventPattern; `EventPattern.compile` turns that into a typed failure. */
export const readPattern = (text: string): ReadonlyArray<Conjunction> => {
  const root = readJson(text);
  if (root.kind === "fault") {
    return refuse([], `the pattern is not JSON: ${root.reason} at character ${root.at}`);
  }
  if (root.kind !== "object") return refuse([], "the pattern must be a JSON object");
  return readFields(root, [], [new Map()], false);
};

const refuse = (path: ReadonlyArray<string>, reason: string): never => {
  throw new InvalidEventPattern({ path: path.join("."), reason });
};

const readFields = (
  node: JsonNode,
  path: ReadonlyArray<string>,
  before: ReadonlyArray<Conjunction>,
  insideOr: boolean,
): ReadonlyArray<Conjunction> => {
  const entries = node.kind === "object" ? node.entries : [];
  if (entries.length === 0) return refuse(path, "empty objects are not allowed");
  let conjunctions = before;
  for (const [name, value] of entries) {
    const here = [...path, name];
    if (name === "$or") conjunctions = readOr(value, path, conjunctions);
    else if (insideOr && reservedInsideOr.has(name)) {
      return refuse(here, "the name of an operator cannot be a field inside $or");
    } else if (value.kind === "object") {
      conjunctions = readFields(value, here, conjunctions, insideOr);
    } else if (value.kind === "array") {
      conjunctions = withField(conjunctions, dotted(path, name), readList(value.items, here));
    } else return refuse(here, "must be an object or a list of values");
  }
  return conjunctions;
};

/** A path below the empty name alone has no leading dot: what AWS's matcher makes of it. */
const dotted = (path: ReadonlyArray<string>, name: string): string => {
  const base = path.join(".");
  return base === "" ? name : `${base}.${name}`;
};

const readList = (
  items: ReadonlyArray<JsonNode>,
  path: ReadonlyArray<string>,
): ReadonlyArray<ValueMatcher> =>
  items.length === 0
    ? refuse(path, "empty lists are not allowed")
    : items.map((item) => readMatcher(item, path.join(".")));

const withField = (
  conjunctions: ReadonlyArray<Conjunction>,
  path: string,
  matchers: ReadonlyArray<ValueMatcher>,
): ReadonlyArray<Conjunction> =>
  conjunctions.map((fields) => new Map([...fields, [path, matchers]]));

const readOr = (
  node: JsonNode,
  path: ReadonlyArray<string>,
  before: ReadonlyArray<Conjunction>,
): ReadonlyArray<Conjunction> => {
  const here = [...path, "$or"];
  if (node.kind !== "array") return refuse(here, "takes a list of objects");
  if (node.items.length < 2) return refuse(here, "needs at least two objects");
  const branches: Array<Conjunction> = [];
  for (const item of node.items) {
    if (item.kind !== "object") return refuse(here, "only objects are allowed in the list");
    for (const conjunction of readFields(item, path, before, true)) branches.push(conjunction);
    if (branches.length > combinationsMax) {
      return refuse(here, `the pattern makes more than ${combinationsMax} combinations`);
    }
  }
  return branches;
};
