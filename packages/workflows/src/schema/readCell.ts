/**
 * The text of a cell to the value of its column, by one explicit rule for each kind. Pure; no locale, no time zone.
 *
 * Nothing is coerced: text that is not exactly of the kind gives `undefined`, and the row goes to the rejects. Blanks
 * around a value are ignored, except in text. The rules, as a user reads them, are in docs/data.md.
 */
import { type ColumnPlan } from "../parquet/ColumnPlan.ts";
import { parseTimestamp, type SlashDates } from "../csv/Timestamp.ts";

/** A value of some column, as ColumnPlan tells its shape. */
export type CellValue = string | number | bigint | boolean;

/** Reads a cell; `undefined` when the text is not of the kind. */
export type CellReader = (text: string) => CellValue | undefined;

const dayMs = 86_400_000;
const whole = /^[+-]?\d{1,40}$/;
const floating = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;
const fixed = /^([+-]?)(\d*)(?:\.(\d*))?$/;

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Digits that a number holds exactly. */
const exactDigitsMax = 15;

const [zero, nine, point] = [0x30, 0x39, 0x2e];

/**
 * A number of digits, as a multiple of 10^-scale, when it is written in the plain way: digits, perhaps a point, at most
 * `scale` digits. Undefined for whatever else there is, which is not to say that it is no number.
 */
const plainDigits = (text: string, scale: number): number | undefined => {
  if (text.length === 0 || text.length + scale > exactDigitsMax) return undefined;
  let value = 0;
  let behind = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= zero && code <= nine) {
      value = value * 10 + (code - zero);
      if (behind >= 0) behind += 1;
    } else if (code === point && behind < 0 && at > 0 && scale > 0) behind = 0;
    else return undefined;
  }
  if (behind > scale) return undefined;
  for (let more = Math.max(behind, 0); more < scale; more += 1) value *= 10;
  return value;
};

const readInt32: CellReader = (text) => {
  const trimmed = text.trim();
  if (!whole.test(trimmed)) return undefined;
  const value = Number(trimmed);
  // `| 0` also makes zero of minus zero, which INT32 does not have.
  return value === (value | 0) ? value | 0 : undefined;
};

/** Most whole numbers are a few plain digits, and a bigint is made of a number in a fraction of the time. */
const readInt64: CellReader = (text) => {
  const plain = plainDigits(text, 0);
  if (plain !== undefined) return BigInt(plain);
  const trimmed = text.trim();
  if (!whole.test(trimmed)) return undefined;
  // BigInt takes a minus, and no plus.
  const value = BigInt(trimmed.startsWith("+") ? trimmed.slice(1) : trimmed);
  return value >= int64Min && value <= int64Max ? value : undefined;
};

const readDouble: CellReader = (text) => {
  const trimmed = text.trim();
  if (!floating.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
};

const readBoolean: CellReader = (text) => {
  const lower = text.trim().toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
};

/** Digits beyond the scale are taken when they are zeros; nothing is ever rounded. */
const readDecimal = (precision: number, scale: number): CellReader => {
  const limit = 10n ** BigInt(precision);
  return (text) => {
    const plain = plainDigits(text, scale);
    if (plain !== undefined && plain < limit) return BigInt(plain);
    const parts = fixed.exec(text.trim());
    if (parts === null) return undefined;
    const [, sign = "", before = "", behind = ""] = parts;
    if (before === "" && behind === "") return undefined;
    if (/[^0]/.test(behind.slice(scale))) return undefined;
    // Longer than any decimal: do not even make a number of it.
    const digits = `${before}${behind.slice(0, scale).padEnd(scale, "0")}`.replace(/^0+/, "");
    if (digits.length > precision) return undefined;
    const value = BigInt(digits === "" ? "0" : digits);
    if (value >= limit) return undefined;
    return sign === "-" ? -value : value;
  };
};

const readDate =
  (slashDates: SlashDates): CellReader =>
  (text) => {
    const epochMs = parseTimestamp(text, slashDates);
    // A time of day would be lost.
    return epochMs === null || epochMs % dayMs !== 0 ? undefined : epochMs / dayMs;
  };

const readJson: CellReader = (text) => {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
};

/** The rule of a column. */
export const cellReader = (plan: ColumnPlan, slashDates: SlashDates): CellReader => {
  switch (plan.kind) {
    case "text":
      return (text) => text;
    case "json":
      return readJson;
    case "boolean":
      return readBoolean;
    case "int32":
      return readInt32;
    case "int64":
      return readInt64;
    case "double":
      return readDouble;
    case "decimal":
      return readDecimal(plan.precision, plan.scale);
    case "date":
      return readDate(slashDates);
    case "timestamp":
      return (text) => parseTimestamp(text, slashDates) ?? undefined;
  }
};

/** What a column takes, in words that quote no data. */
export const expectedOf = (plan: ColumnPlan): string => {
  switch (plan.kind) {
    case "text":
      return "text";
    case "json":
      return "a JSON value";
    case "boolean":
      return "true or false";
    case "int32":
      return "a whole number of 32 bits";
    case "int64":
      return "a whole number of 64 bits";
    case "double":
      return "a finite number with a decimal point";
    case "decimal":
      return `a decimal of at most ${plan.precision} digits, ${plan.scale} of them behind the point`;
    case "date":
      return "a date";
    case "timestamp":
      return "a date and time";
  }
};
