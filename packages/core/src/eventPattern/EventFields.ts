/**
 * The leaves of an event that a pattern asks for, by dotted path, each with the array elements it lies in.
 */
import type { JsonNode } from "./JsonText.ts";
import { literalLeaf, numberLeaf, stringLeaf, type Leaf } from "./ValueMatcher.ts";

/** Array number to element index; arrays are numbered in the order of the event's text. */
export type Membership = ReadonlyMap<number, number>;

export interface EventField {
  readonly leaf: Leaf;
  readonly membership: Membership;
}

/** Names of object keys that can lie on one of the paths. */
export const stepsOf = (paths: Iterable<string>): ReadonlySet<string> => {
  const steps = new Set<string>();
  for (const path of paths) for (const step of splitSteps(path)) steps.add(step);
  return steps;
};

/** As Java's split: no empty steps at the end. */
const splitSteps = (path: string): ReadonlyArray<string> => {
  const steps = path.split(".");
  while (steps.length > 1 && steps.at(-1) === "") steps.pop();
  return steps;
};

/**
 * Collects the leaves under the wanted steps. A key with dots counts as several steps: `a.b` and `{ a: { b } }` are
 * the same path. Scalars directly in an array do not belong to an element, objects in an array do.
 */
export const fieldsOf = (
  event: JsonNode,
  steps: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlyArray<EventField>> => {
  const fields = new Map<string, Array<EventField>>();
  let arrayCount = 0;
  const wanted = (name: string) =>
    steps.has(name) || (name.includes(".") && splitSteps(name).every((step) => steps.has(step)));
  const add = (path: string, leaf: Leaf, membership: Membership) => {
    const known = fields.get(path);
    if (known === undefined) fields.set(path, [{ leaf, membership }]);
    else known.push({ leaf, membership });
  };
  const walk = (node: JsonNode, path: string, membership: Membership): void => {
    switch (node.kind) {
      case "string":
        return add(path, stringLeaf(node.value), membership);
      case "number":
        return add(path, numberLeaf(node.text), membership);
      case "literal":
        return add(path, literalLeaf(node.text), membership);
      case "object":
        for (const [name, value] of node.entries) {
          if (wanted(name)) walk(value, `${path}.${name}`, membership);
        }
        return;
      case "array": {
        const array = arrayCount;
        arrayCount += 1;
        for (const [index, item] of node.items.entries()) {
          const nested = item.kind === "object" || item.kind === "array";
          walk(item, path, nested ? new Map([...membership, [array, index]]) : membership);
        }
      }
    }
  };
  if (event.kind === "object") {
    for (const [name, value] of event.entries) if (wanted(name)) walk(value, name, new Map());
  }
  return fields;
};
