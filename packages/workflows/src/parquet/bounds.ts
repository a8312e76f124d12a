/**
 * The least and the greatest value of a column, for the statistics by which readers skip row groups.
 */
import { type PackedTexts, textBytes } from "./PackedTexts.ts";

/** Both; neither where there is no value. */
export interface Bounds<A> {
  readonly min_value: A | undefined;
  readonly max_value: A | undefined;
}

/** Of texts, as Parquet orders them: by their bytes. */
export const textBounds = (packed: PackedTexts): Bounds<Uint8Array> => {
  const count = packed.ends.length;
  if (count === 0) return { min_value: undefined, max_value: undefined };
  let min = textBytes(packed, 0);
  let max = min;
  for (let code = 1; code < count; code += 1) {
    const text = textBytes(packed, code);
    if (Buffer.compare(text, min) < 0) min = text;
    else if (Buffer.compare(text, max) > 0) max = text;
  }
  // The group's block is not kept until the footer.
  return { min_value: new Uint8Array(min), max_value: new Uint8Array(max) };
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
