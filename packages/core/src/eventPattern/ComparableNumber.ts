/**
 * Numbers as event patterns compare them: by value, in double precision, and only when the double stands for exactly
 * the decimal number that was written. `300`, `300.0` and `3.0e2` are one number; `9007199254740993` and `1e400` are
 * not comparable, so a numeric matcher refuses them and an exact value falls back to comparing the text.
 *
 * Source: ComparableNumber.generate of aws/event-ruler 2.0.1
 */

/** The value of a JSON number's text, or undefined when double precision would change it. */
export const comparableNumber = (text: string): number | undefined => {
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  return sameDecimal(text, String(value)) ? value : undefined;
};

const decimalParts = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/** Sign, significant digits and exponent of the last digit; equal exactly when the decimal values are equal. */
const normalForm = (text: string): string | undefined => {
  const [matched, sign = "", whole = "", fraction = "", exponent = "0"] =
    decimalParts.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = stripTrailingZeros(digits);
  if (significant === "") return "0";
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${scale}`;
};

/** Not `/0+$/`, which is quadratic on digits such as 000…01. */
const stripTrailingZeros = (digits: string): string => {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end -= 1;
  return digits.slice(0, end);
};

const sameDecimal = (left: string, right: string): boolean => {
  const normal = normalForm(left);
  return normal !== undefined && normal === normalForm(right);
};
