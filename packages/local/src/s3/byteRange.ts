/**
 * The `Range` header. Pure.
 *
 * S3 serves one range; a header with several, or one that is not understood, means the whole object (RFC 9110 14.2).
 */

/** Bytes `from` to `to` (exclusive), or that no byte of the range exists. */
export type RangeOutcome =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly from: number; readonly to: number }
  | { readonly kind: "unsatisfiable" };

/** Reads `bytes=a-b`, `bytes=a-` and `bytes=-n` against an object of `size` bytes. */
export const parseRange = (header: string | undefined, size: number): RangeOutcome => {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/iu.exec(header ?? "");
  const first = match?.[1] ?? "";
  const last = match?.[2] ?? "";
  if (match === null || (first === "" && last === "")) return { kind: "whole" };
  if (first === "") {
    const suffix = Number(last);
    return suffix === 0 || size === 0
      ? { kind: "unsatisfiable" }
      : { kind: "part", from: Math.max(size - suffix, 0), to: size };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return { kind: "whole" };
  if (from >= size) return { kind: "unsatisfiable" };
  return { kind: "part", from, to: last === "" ? size : Math.min(Number(last) + 1, size) };
};
