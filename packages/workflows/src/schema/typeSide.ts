/**
 * Between a column's value (see ColumnPlan) and the value that the field's schema has on its type side: what checks and
 * steps of a pipeline see.
 */
import { BigDecimal, DateTime, Option, Predicate, SchemaAST } from "effect";
import type { ColumnPlan } from "../parquet/ColumnPlan.ts";
import type { CellValue } from "./readCell.ts";

const dayMs = 86_400_000;
const int32Max = 2 ** 31 - 1;
const int64Max = 2n ** 63n - 1n;

/** From the column's value. `isDate`: the field is a Date, and not a DateTime. */
export const toTypeSide = (plan: ColumnPlan, ast: SchemaAST.AST, isDate: boolean) => {
  const isBigInt = SchemaAST.isBigInt(ast);
  return (value: CellValue): unknown => {
    if (plan.kind === "decimal") return BigDecimal.make(BigInt(value), plan.scale);
    if (plan.kind === "json") return JSON.parse(String(value));
    if (plan.kind === "int64") return isBigInt ? value : Number(value);
    if (plan.kind !== "date" && plan.kind !== "timestamp") return value;
    const epochMs = Number(value) * (plan.kind === "date" ? dayMs : 1);
    return isDate ? DateTime.toDateUtc(DateTime.makeUnsafe(epochMs)) : DateTime.makeUnsafe(epochMs);
  };
};

const wholeOrNothing = (value: number): number | undefined =>
  Number.isSafeInteger(value) ? value : undefined;

const epochMsOf = (value: unknown): number | undefined => {
  if (value instanceof Date) return wholeOrNothing(value.getTime());
  return DateTime.isDateTime(value) ? wholeOrNothing(DateTime.toEpochMillis(value)) : undefined;
};

const int64Of = (value: unknown): bigint | undefined => {
  const whole =
    typeof value === "bigint" ? value : Number.isSafeInteger(value) ? BigInt(Number(value)) : null;
  return whole !== null && whole <= int64Max && whole >= -int64Max - 1n ? whole : undefined;
};

/** Exact, never rounded: undefined where digits would be lost. */
const unscaledOf = (value: unknown, precision: number, scale: number): bigint | undefined => {
  if (!BigDecimal.isBigDecimal(value)) return undefined;
  const { scale: own, value: unscaled } = BigDecimal.normalize(value);
  if (own > scale) return undefined;
  const shifted = unscaled * 10n ** BigInt(scale - own);
  const limit = 10n ** BigInt(precision);
  return shifted < limit && shifted > -limit ? shifted : undefined;
};

const toJson = Option.liftThrowable((value: unknown): unknown => JSON.stringify(value));

/** To the column's value; undefined for what the column cannot hold. */
export const fromTypeSide =
  (plan: ColumnPlan) =>
  (value: unknown): CellValue | undefined => {
    switch (plan.kind) {
      case "text":
        return typeof value === "string" ? value : undefined;
      case "boolean":
        return typeof value === "boolean" ? value : undefined;
      case "double":
        return typeof value === "number" && Number.isFinite(value) ? value : undefined;
      case "int32":
        return Number.isInteger(value) && Math.abs(Number(value) + 0.5) <= int32Max + 0.5
          ? Number(value)
          : undefined;
      case "int64":
        return int64Of(value);
      case "decimal":
        return unscaledOf(value, plan.precision, plan.scale);
      case "timestamp":
        return epochMsOf(value);
      case "date": {
        const epochMs = epochMsOf(value);
        return epochMs === undefined || epochMs % dayMs !== 0 ? undefined : epochMs / dayMs;
      }
      case "json":
        return Option.getOrUndefined(Option.filter(toJson(value), Predicate.isString));
    }
  };
