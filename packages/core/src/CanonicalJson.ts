/**
 * One text per JSON value: object keys sorted by UTF-16 code unit, numbers and strings as JSON.stringify writes them.
 *
 * Two payloads that mean the same have the same text, and so the same hash; an own key `__proto__` counts like any
 * other. Values that JSON cannot hold (`undefined` members) are left out, as JSON.stringify does.
 *
 * Source: RFC 8785 (JSON Canonicalization Scheme), sections 3.2.2 and 3.2.3
 */
import { createHash } from "node:crypto";

/** The canonical text of a JSON value. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
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
