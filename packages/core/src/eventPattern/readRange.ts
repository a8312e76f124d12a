/**
 * Reads the operand of `numeric`: `["=", n]`, one bound, or a lower bound followed by an upper one.
 */
import { comparableNumber } from "./ComparableNumber.ts";
import { InvalidEventPattern } from "./InvalidEventPattern.ts";
import type { JsonNode } from "./JsonText.ts";
import type { ValueMatcher } from "./ValueMatcher.ts";

/** Throws InvalidEventPattern; `EventPattern.compile` turns that into a typed failure. */
export const readRange = (operand: JsonNode, path: string): ValueMatcher => {
  const refuse = (reason: string): never => {
    throw new InvalidEventPattern({ path, reason: `numeric: ${reason}` });
  };
  if (operand.kind !== "array") return refuse('takes a list such as [">", 0]');
  const bounds: Array<{ readonly operator: string; readonly value: number }> = [];
  for (let at = 0; at < operand.items.length; at += 2) {
    const operator = operand.items[at];
    const number = operand.items[at + 1];
    if (operator?.kind !== "string") return refuse('expected an operator such as ">"');
    if (number?.kind !== "number") return refuse(`${operator.value} takes a number`);
    const value = comparableNumber(number.text);
    if (value === undefined) {
      return refuse(`the number ${number.text} does not fit double precision exactly`);
    }
    bounds.push({ operator: operator.value, value });
  }
  const [first, second, third] = bounds;
  if (first === undefined) return refuse("the list is empty");
  if (third !== undefined) return refuse("too many elements");
  if (second === undefined) return single(first) ?? refuse(`unknown operator "${first.operator}"`);
  if (first.operator !== ">" && first.operator !== ">=") return refuse("too many elements");
  if (second.operator !== "<" && second.operator !== "<=") {
    return refuse(`the second bound must be an upper one, not "${second.operator}"`);
  }
  if (first.value >= second.value) return refuse("the lower bound must be less than the upper one");
  return {
    kind: "range",
    bottom: first.value,
    bottomOpen: first.operator === ">",
    top: second.value,
    topOpen: second.operator === "<",
  };
};

const single = (bound: {
  readonly operator: string;
  readonly value: number;
}): ValueMatcher | undefined => {
  const { value } = bound;
  const lowest = -Number.MAX_VALUE;
  const highest = Number.MAX_VALUE;
  switch (bound.operator) {
    case "=":
      return { kind: "range", bottom: value, bottomOpen: false, top: value, topOpen: false };
    case ">":
    case ">=":
      return {
        kind: "range",
        bottom: value,
        bottomOpen: bound.operator === ">",
        top: highest,
        topOpen: false,
      };
    case "<":
    case "<=":
      return {
        kind: "range",
        bottom: lowest,
        bottomOpen: false,
        top: value,
        topOpen: bound.operator === "<",
      };
    default:
      return undefined;
  }
};
