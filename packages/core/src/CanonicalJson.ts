/**
 * One text per JSON value: object keys sorted by UTF-16 code unit, numbers and strings as JSON.stringify writes them.
 *
 * Two payloads that mean the same have the same text, and so the same hash; an own key `__proto__` counts like any
 * other. `undefined` members are left out and `toJSON` is asked, as JSON.stringify does. What has no JSON form (a Map,
 * a function, NaN) is refused instead of becoming the text of something else. A number that a double cannot hold keeps
 * its digits, where it comes as a bigint or from `parseJsonExact`.
 *
 * Source: RFC 8785 (JSON Canonicalization Scheme), sections 3.2.2 and 3.2.3
 */
import { Predicate } from "effect";
import { createHash } from "node:crypto";

/** A JSON number with more digits than a double holds, as `digits` times ten to the power of `exponent`. */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = normalizeNumber(text);
  }
}

/** The canonical text of a JSON value; throws a TypeError for a value that JSON cannot hold. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === "bigint") return normalizeNumber(value.toString());
  if (value instanceof ExactNumber) return value.text;
  if (value === null || typeof value !== "object") return textOfPrimitive(value);
  if (Predicate.hasProperty(value, "toJSON") && typeof value.toJSON === "function") {
    const json: unknown = value.toJSON();
    return canonicalJson(json);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  refuseOpaque(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    // The default order of sort is by code unit, which is what the RFC asks for.
    .map(([key, member]) => [JSON.stringify(key), key, canonicalJson(member)] as const)
    .toSorted(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, , text]) => `${name}:${text}`);
  return `{${members.join(",")}}`;
};

/** SHA-256 of the canonical text, as 64 hex characters. */
export const canonicalHash = (value: unknown): string =>
  createHash("sha256").update(canonicalJson(value)).digest("hex");

/**
 * Parses JSON text and keeps every number's value: one that a double cannot hold becomes an `ExactNumber`.
 *
 * Throws a SyntaxError, as JSON.parse does.
 */
export const parseJsonExact = (text: string): unknown =>
  JSON.parse(text, (_key: string, value: unknown, ...more: ReadonlyArray<unknown>): unknown => {
    const [context] = more;
    if (typeof value !== "number" || !Predicate.hasProperty(context, "source")) return value;
    const source = String(context.source);
    const isHeld =
      Number.isFinite(value) && normalizeNumber(source) === normalizeNumber(String(value));
    return isHeld ? value : new ExactNumber(source);
  });

const textOfPrimitive = (value: unknown): string => {
  if (typeof value === "function" || typeof value === "symbol") throw noJsonForm(typeof value);
  if (typeof value === "number" && !Number.isFinite(value)) throw noJsonForm(String(value));
  return JSON.stringify(value) ?? "null";
};

const noJsonForm = (what: string): TypeError =>
  new TypeError(`a ${what} has no JSON form: encode the value with its schema first`);

/** Objects whose content is not in their members would all have the text `{}`. */
const refuseOpaque = (value: object): void => {
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (opaque.has(kind)) throw noJsonForm(kind);
};
const opaque: ReadonlySet<string> = new Set([
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "Promise",
  "RegExp",
  "Error",
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
]);

/** Longest integer that is written out; a longer one is written as digits and exponent. */
const plainDigitsMax = 400;

/** The one text of a decimal number, whatever zeros and exponents it was written with. */
const normalizeNumber = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const exponent = Number(power) - fraction.length + (digits.length - significant.length);
  if (exponent < 0) return `${sign}${significant}e${exponent}`;
  return significant.length + exponent <= plainDigitsMax
    ? `${sign}${significant}${"0".repeat(exponent)}`
    : `${sign}${significant}e+${exponent}`;
};
