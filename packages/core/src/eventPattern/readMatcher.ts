/**
 * Reads one element of a field's list: a plain value or a matcher object such as `{ "prefix": "in/" }`.
 */
import { comparableNumber } from "./ComparableNumber.ts";
import { InvalidEventPattern } from "./InvalidEventPattern.ts";
import { addressDigits, readBlock } from "./IpAddress.ts";
import type { JsonNode } from "./JsonText.ts";
import { readRange } from "./readRange.ts";
import { foldText, readWildcard } from "./TextMatcher.ts";
import { matchedText, type TextTest, type ValueMatcher } from "./ValueMatcher.ts";

/** Throws InvalidEventPattern; `EventPattern.compile` turns that into a typed failure. */
export const readMatcher = (node: JsonNode, path: string): ValueMatcher => {
  switch (node.kind) {
    case "string": {
      const digits = addressDigits(node.value);
      return digits === undefined
        ? { kind: "text", test: { kind: "equals", text: quoted(node.value) } }
        : { kind: "address", digits };
    }
    case "number":
      return { kind: "number", text: node.text, value: comparableNumber(node.text) };
    case "literal":
      return { kind: "text", test: { kind: "equals", text: node.text } };
    case "array":
      return refuse(path, "a list of values may not hold another list");
    case "object":
      return readOperator(onlyEntry(node, path), path);
  }
};

const refuse = (path: string, reason: string): never => {
  throw new InvalidEventPattern({ path, reason });
};

const quoted = (text: string): string => `"${matchedText(text)}"`;

const onlyEntry = (node: JsonNode, path: string): readonly [string, JsonNode] => {
  const entries = node.kind === "object" ? node.entries : [];
  const entry = entries[0];
  return entry === undefined || entries.length > 1
    ? refuse(path, `a matcher has exactly one operator, this one has ${entries.length}`)
    : entry;
};

const readOperator = (
  [operator, operand]: readonly [string, JsonNode],
  path: string,
): ValueMatcher => {
  switch (operator) {
    case "exactly":
    case "equals-ignore-case":
    case "wildcard":
      return { kind: "text", test: textTest(operator, stringOf(operand, operator, path), path) };
    case "prefix":
    case "suffix":
      return { kind: "text", test: readAffix(operator, operand, path) };
    case "numeric":
      return readRange(operand, path);
    case "anything-but":
      return readAnythingBut(operand, path);
    case "exists":
      if (operand.kind === "literal" && operand.text === "true") return { kind: "exists" };
      if (operand.kind === "literal" && operand.text === "false") return { kind: "absent" };
      return refuse(path, "exists takes true or false");
    case "cidr": {
      const block = readBlock(stringOf(operand, operator, path));
      return "reason" in block ? refuse(path, `cidr: ${block.reason}`) : { kind: "block", block };
    }
    default:
      return refuse(path, `unknown operator "${operator}"`);
  }
};

const stringOf = (node: JsonNode, operator: string, path: string): string =>
  node.kind === "string" ? node.value : refuse(path, `${operator} takes a string`);

const readAffix = (operator: "prefix" | "suffix", operand: JsonNode, path: string): TextTest => {
  if (operand.kind !== "object") return textTest(operator, stringOf(operand, operator, path), path);
  const [inner, value] = onlyEntry(operand, path);
  if (inner !== "equals-ignore-case") return refuse(path, `${operator} may not hold "${inner}"`);
  const text = matchedText(stringOf(value, inner, path));
  return operator === "prefix"
    ? { kind: "prefixFolded", folded: foldText(`"${text}`) }
    : { kind: "suffixFolded", folded: foldText(`${text}"`) };
};

const textTest = (
  operator: "exactly" | "equals-ignore-case" | "wildcard" | "prefix" | "suffix",
  value: string,
  path: string,
): TextTest => {
  switch (operator) {
    case "exactly":
      return { kind: "equals", text: quoted(value) };
    case "equals-ignore-case":
      return { kind: "equalsFolded", folded: foldText(`"${value}"`) };
    case "prefix":
      return { kind: "prefix", text: `"${matchedText(value)}` };
    case "suffix":
      return { kind: "suffix", text: `${matchedText(value)}"` };
    case "wildcard": {
      const wildcard = readWildcard(quoted(value));
      return "reason" in wildcard
        ? refuse(path, `wildcard: ${wildcard.reason}`)
        : { kind: operator, wildcard };
    }
  }
};

const readAnythingBut = (operand: JsonNode, path: string): ValueMatcher => {
  if (operand.kind === "object") return readNestedAnythingBut(operand, path);
  const values = operand.kind === "array" ? operand.items : [operand];
  const texts: Array<TextTest> = [];
  const numbers: Array<number> = [];
  for (const value of values) {
    if (value.kind === "string") texts.push(textTest("exactly", value.value, path));
    else if (value.kind === "number") numbers.push(comparableOf(value.text, path));
    else refuse(path, "anything-but takes strings or numbers");
  }
  if ((texts.length === 0) === (numbers.length === 0)) {
    return refuse(path, "anything-but takes either strings or numbers, at least one");
  }
  return numbers.length > 0
    ? { kind: "anythingButNumber", values: numbers }
    : { kind: "anythingButText", tests: texts };
};

const comparableOf = (text: string, path: string): number =>
  comparableNumber(text) ??
  refuse(path, `the number ${text} does not fit double precision exactly`);

const readNestedAnythingBut = (operand: JsonNode, path: string): ValueMatcher => {
  const [inner, value] = onlyEntry(operand, path);
  if (
    inner !== "prefix" &&
    inner !== "suffix" &&
    inner !== "equals-ignore-case" &&
    inner !== "wildcard"
  ) {
    return refuse(path, `anything-but may not hold "${inner}"`);
  }
  const texts = (value.kind === "array" ? value.items : [value]).map((item) =>
    stringOf(item, `anything-but ${inner}`, path),
  );
  if ((inner === "prefix" || inner === "suffix") && texts.includes("")) {
    return refuse(path, `anything-but ${inner} may not be empty`);
  }
  return { kind: "anythingButText", tests: texts.map((text) => textTest(inner, text, path)) };
};
