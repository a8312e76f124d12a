/**
 * Whether the fields of an event satisfy one conjunction, with fields of one array of objects from the same element.
 *
 * Paths are taken in the order of their names and each chosen field adds the array elements it lies in; `exists:
 * false` looks only at fields that agree with the elements chosen so far. That is the order of AWS's matcher, and it
 * shows: a missing field is looked for in the whole array when its name sorts before its siblings.
 *
 * Choices that can no longer matter are forgotten, so the work grows with the size of the event and not with the
 * number of ways to choose.
 */
import type { EventField, Membership } from "./EventFields.ts";
import { MembershipIndex } from "./MembershipIndex.ts";
import type { Conjunction } from "./readPattern.ts";
import { matchesLeaf, type ValueMatcher } from "./ValueMatcher.ts";

/**
 * Ways to choose array elements that are looked at in one event. Only an event that spells the same array in many
 * ways (repeated or dotted keys) or interleaves huge arrays gets there; the rest of its ways are not looked at.
 */
const waysMax = 1_000_000;

export const matchConjunction = (
  conjunction: Conjunction,
  fields: ReadonlyMap<string, ReadonlyArray<EventField>>,
): boolean => {
  const steps = [...conjunction]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, matchers]) => candidates(matchers, fields.get(path) ?? []));
  const relevant = relevantArrays(steps);
  let chosen: ReadonlyArray<Membership> = [new Map()];
  for (const [index, step] of steps.entries()) {
    chosen = advance(chosen, step, relevant[index] ?? new Set());
    if (chosen.length === 0) return false;
  }
  return true;
};

interface Step {
  readonly all: ReadonlyArray<EventField>;
  readonly matching: MembershipIndex;
  /** All fields of the path, when it may be absent. */
  readonly present: MembershipIndex | undefined;
}

const candidates = (
  matchers: ReadonlyArray<ValueMatcher>,
  all: ReadonlyArray<EventField>,
): Step => ({
  all,
  matching: new MembershipIndex(all.filter(({ leaf }) => matchesLeaf(matchers, leaf))),
  present: matchers.some(({ kind }) => kind === "absent") ? new MembershipIndex(all) : undefined,
});

/** For each step, the arrays that a later step looks at. */
const relevantArrays = (steps: ReadonlyArray<Step>): ReadonlyArray<ReadonlySet<number>> => {
  const relevant: Array<ReadonlySet<number>> = [];
  let later: ReadonlySet<number> = new Set();
  for (const { all } of steps.toReversed()) {
    relevant.unshift(later);
    const arrays = new Set(later);
    for (const { membership } of all) for (const array of membership.keys()) arrays.add(array);
    later = arrays;
  }
  return relevant;
};

const advance = (
  chosen: ReadonlyArray<Membership>,
  { matching, present }: Step,
  relevant: ReadonlySet<number>,
): ReadonlyArray<Membership> => {
  const next = new Map<string, Membership>();
  let ways = 0;
  const keep = (membership: Membership) => {
    const kept = [...membership].filter(([array]) => relevant.has(array));
    kept.sort(([left], [right]) => left - right);
    next.set(kept.join(";"), new Map(kept));
    ways += 1;
  };
  for (const membership of chosen) {
    if (present !== undefined && isEmpty(present.agreeing(membership))) keep(membership);
    for (const added of matching.agreeing(membership)) {
      keep(new Map([...membership, ...added]));
      if (ways >= waysMax) return [...next.values()];
    }
  }
  return [...next.values()];
};

const isEmpty = (values: Iterable<unknown>): boolean => {
  for (const _ of values) return false;
  return true;
};
