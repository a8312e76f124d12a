/**
 * The least and the greatest value of a column, for the statistics by which readers skip row groups.
 */
import { type PackedTexts, textBytes, textStart } from "./PackedTexts.ts";

/** Both; neither where there is no value. */
export interface Bounds<A> {
  readonly min_value: A | undefined;
  readonly max_value: A | undefined;
}

/** Whether one text comes before another, by their bytes. */
const isBefore = (packed: PackedTexts, one: number, other: number): boolean => {
  const { bytes, ends } = packed;
  let left = textStart(packed, one);
  let right = textStart(packed, other);
  const leftEnd = ends[one] ?? 0;
  const rightEnd = ends[other] ?? 0;
  while (left < leftEnd && right < rightEnd && bytes[left] === bytes[right]) {
    left += 1;
    right += 1;
  }
  if (left === leftEnd) return right < rightEnd;
  return right < rightEnd && (bytes[left] ?? 0) < (bytes[right] ?? 0);
};

/** Of texts, as Parquet orders them: by their bytes. */
export const textBounds = (packed: PackedTexts): Bounds<Uint8Array> => {
  const count = packed.ends.length;
  if (count === 0) return { min_value: undefined, max_value: undefined };
  let min = 0;
  let max = 0;
  for (let code = 1; code < count; code += 1) {
    if (isBefore(packed, code, min)) min = code;
    else if (isBefore(packed, max, code)) max = code;
  }
  // Copies: the group's block is not kept until the footer.
  return {
    min_value: new Uint8Array(textBytes(packed, min)),
    max_value: new Uint8Array(textBytes(packed, max)),
  };
};

/** Of numbers and the like. */
export const valueBounds = <A extends number | bigint>(values: Iterable<A>): Bounds<A | number> => {
  let min: A | undefined;
  let max: A | undefined;
  for (const value of values) {
    if (min === undefined || value < min) min = value;
    if (max === undefined || value > max) max = value;
  }
  // Parquet's rule for the two zeros: the bounds hold both.
  return { min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max };
};
