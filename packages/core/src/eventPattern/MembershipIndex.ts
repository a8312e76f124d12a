/**
 * Finds the fields of an event that agree with a choice of array elements without looking at the others.
 *
 * Fields lie in a tree: an array, the index of the element in it, an array inside that element, and so on. A choice
 * that names an array leads to one branch there; where it names none, all branches agree.
 */
import type { EventField, Membership } from "./EventFields.ts";

interface Node {
  readonly own: Array<Membership>;
  readonly arrays: Map<number, Map<number, Node>>;
}

const emptyNode = (): Node => ({ own: [], arrays: new Map() });

export class MembershipIndex {
  readonly #root = emptyNode();

  constructor(fields: Iterable<EventField>) {
    for (const { membership } of fields) {
      let node = this.#root;
      // Outer arrays come first: they have the lower numbers and were entered first.
      for (const [array, index] of membership) {
        const elements = node.arrays.get(array) ?? new Map<number, Node>();
        node.arrays.set(array, elements);
        const next = elements.get(index) ?? emptyNode();
        elements.set(index, next);
        node = next;
      }
      // Fields of the same element are one way to choose.
      if (node.own.length === 0) node.own.push(membership);
    }
  }

  /** The memberships that agree with `chosen`, each once. */
  agreeing(chosen: Membership): Iterable<Membership> {
    return walk(this.#root, chosen);
  }
}

function* walk(node: Node, chosen: Membership): Generator<Membership> {
  yield* node.own;
  for (const [array, elements] of node.arrays) {
    const index = chosen.get(array);
    if (index === undefined) {
      for (const next of elements.values()) yield* walk(next, chosen);
    } else {
      const next = elements.get(index);
      if (next !== undefined) yield* walk(next, chosen);
    }
  }
}
