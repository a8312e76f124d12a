/**
 * The columns of an output as SQL over cells of text, by the rules of `readCell` and `parseTimestamp`.
 *
 * SQL takes the plain forms, which nearly all values have. What has another form is no failure here: it is counted, and
 * whoever asked decides. Dates of other forms are read by the project's own rule and joined by their text.
 */
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import type { ColumnPlan } from "../parquet/ColumnPlan.ts";

/** One column: its value, and whether a cell cannot be told by SQL. */
export interface DuckColumn {
  readonly name: string;
  readonly value: string;
  /** A condition; none where every cell is told. */
  readonly odd?: string;
  /** The cell, where it is a date of D1.6, which may be anything. */
  readonly free?: string;
}

/** Text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The cell of the file's column, as the part's table has it. */
export const cellName = (index: number): string => `c${index}`;

const year = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})";
const day = String.raw`${year}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`;
const time = String.raw`([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?`;
const instant = `${day}([ T]${time}Z?)?`;

/** An instant of the plain form; null for one that no calendar has. */
const toInstant = (cell: string): string =>
  `TRY_CAST(rtrim(${cell}, 'Z') AS TIMESTAMP)::TIMESTAMPTZ`;

const matches = (cell: string, pattern: string): string =>
  `regexp_full_match(${cell}, ${literal(pattern)})`;

/** The SQL type and the plain form of each kind. */
const typed = (plan: ColumnPlan, cell: string): { form: string; value: string } | undefined => {
  switch (plan.kind) {
    case "boolean":
      return { form: "true|false|True|False|TRUE|FALSE", value: `TRY_CAST(${cell} AS BOOLEAN)` };
    case "int32":
      return { form: "-?[0-9]{1,10}", value: `TRY_CAST(${cell} AS INTEGER)` };
    case "int64":
      return { form: "-?[0-9]{1,19}", value: `TRY_CAST(${cell} AS BIGINT)` };
    case "double":
      return {
        form: String.raw`-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?`,
        value: `TRY_CAST(${cell} AS DOUBLE)`,
      };
    case "decimal": {
      const { precision, scale } = plan;
      const whole = `[0-9]{1,${Math.max(1, precision - scale)}}`;
      const form = scale === 0 ? `-?${whole}` : `-?${whole}(\\.[0-9]{1,${scale}})?`;
      return { form, value: `TRY_CAST(${cell} AS DECIMAL(${precision}, ${scale}))` };
    }
    case "date":
      return { form: day, value: `TRY_CAST(${cell} AS DATE)` };
    case "timestamp":
      return { form: instant, value: toInstant(cell) };
    default:
      return undefined;
  }
};

/** Why SQL cannot tell a declared column; nothing when it can. */
export const untold = ({ accepts, plan }: DeclaredColumn): string | undefined => {
  if (accepts !== undefined) return `the column ${JSON.stringify(plan.name)} has checks of its own`;
  return plan.kind === "json" ? `the column ${JSON.stringify(plan.name)} is JSON` : undefined;
};

/** A declared column, read from that column of the file; -1 for none. */
export const declaredColumn = ({ plan }: DeclaredColumn, source: number): DuckColumn => {
  const { name, nullable } = plan;
  const cell = source === -1 ? "NULL" : cellName(source);
  if (plan.kind === "text")
    return { name, value: nullable ? `${cell}::VARCHAR` : `coalesce(${cell}, '')` };
  const rule = typed(plan, cell);
  if (rule === undefined || source === -1) return { name, value: "NULL::VARCHAR" };
  const { form, value } = rule;
  const unfit = `${cell} IS NOT NULL AND (NOT ${matches(cell, form)} OR (${value}) IS NULL)`;
  return { name, value, odd: nullable ? unfit : `${cell} IS NULL OR (${unfit})` };
};

/** A column of a file without a declared schema: text, or a date, which is null when it is none. */
export const freeColumn = (plan: ColumnPlan, source: number): DuckColumn => {
  const cell = cellName(source);
  if (plan.kind !== "timestamp") return { name: plan.name, value: cell };
  const odd = `${cell} IS NOT NULL AND NOT ${matches(cell, instant)}`;
  return { name: plan.name, value: toInstant(cell), odd, free: cell };
};
