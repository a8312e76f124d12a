/**
 * The columns of an output as SQL over cells of text, by the rules of `readCell` and `parseTimestamp`.
 *
 * SQL takes the plain forms, which nearly all values have. A value of a declared column that has another form stops the query:
 * the stream engine takes the file. Dates of other forms (D1.6) are read by the project's own rule.
 */
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import type { ColumnPlan } from "../parquet/ColumnPlan.ts";
import { readDate } from "./DuckDb.ts";

/** One column of the output. */
export interface DuckColumn {
  readonly name: string;
  /** Its value. A cell that SQL cannot tell stops the query with `untoldCell` and the column's place. */
  readonly value: string;
  /** What the value is made of, beside the cells: an expression and its name. */
  readonly cast?: string;
  /** Whether it is a date of D1.6, which may be anything. */
  readonly isFree?: boolean;
}

/** What the error of a query begins with that has met a cell which SQL cannot tell; the column's place follows. */
export const untoldCell = "untold cell of column ";

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

/** A cell cast to a type, or null: made once beneath the expressions that use it. */
const castName = (place: number): string => `v${place}`;
const castOf = (cell: string, type: string, place: number): string =>
  `TRY_CAST(${cell} AS ${type}) AS ${castName(place)}`;

/** An instant of the plain form; null for one that no calendar has. */
const toInstant = (cell: string): string =>
  `make_timestamptz(epoch_us(TRY_CAST(rtrim(${cell}, 'Z') AS TIMESTAMP)))`;

/** A date's midnight. */
const toMidnight = (date: string): string => `make_timestamptz(epoch_us(${date}::TIMESTAMP))`;

const matches = (cell: string, pattern: string): string =>
  `regexp_full_match(${cell}, ${literal(pattern)})`;

/** The SQL of a kind: its plain form, what a cell is cast to, and a cheap test that nearly all cells of that form pass. */
interface Typed {
  readonly form: string;
  readonly type: string;
  readonly test?: string;
}

const typed = (plan: ColumnPlan, cell: string, value: string): Typed | undefined => {
  /** The value is written as the cell is. */
  const test = `${value}::VARCHAR = ${cell}`;
  switch (plan.kind) {
    case "boolean":
      return {
        form: "true|false|True|False|TRUE|FALSE",
        type: "BOOLEAN",
        test: `${cell} IN ('true', 'false')`,
      };
    case "int32":
      return { form: "-?[0-9]{1,10}", type: "INTEGER", test };
    case "int64":
      return { form: "-?[0-9]{1,19}", type: "BIGINT", test };
    case "double":
      return {
        form: String.raw`-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?`,
        type: "DOUBLE",
      };
    case "decimal": {
      const { precision, scale } = plan;
      const digits = `[0-9]{1,${Math.max(1, precision - scale)}}`;
      const form = scale === 0 ? `-?${digits}` : `-?${digits}(\\.[0-9]{1,${scale}})?`;
      return { form, type: `DECIMAL(${precision}, ${scale})`, test };
    }
    case "date":
      // Ten characters: no infinity, no year before 1 or beyond 9999.
      return { form: day, type: "DATE", test: `length(${cell}) = 10 AND ${test}` };
    default:
      return undefined;
  }
};

/** Why SQL cannot tell a declared column; nothing when it can. */
export const untold = ({ accepts, plan }: DeclaredColumn): string | undefined => {
  if (accepts !== undefined) return `the column ${JSON.stringify(plan.name)} has checks of its own`;
  return plan.kind === "json" ? `the column ${JSON.stringify(plan.name)} is JSON` : undefined;
};

/** A declared column, the output's `place`-th, read from that column of the file; -1 for none. */
export const declaredColumn = (
  { plan }: DeclaredColumn,
  source: number,
  place: number,
): DuckColumn => {
  const { name, nullable } = plan;
  const cell = source === -1 ? "NULL" : cellName(source);
  if (plan.kind === "text")
    return { name, value: nullable ? `${cell}::VARCHAR` : `coalesce(${cell}, '')` };
  if (source === -1) return { name, value: "NULL::VARCHAR" };
  const untold = `error(${literal(`${untoldCell}${place}`)})`;
  const empty = nullable ? "false" : `${cell} IS NULL`;
  const told = (form: string, value: string): string =>
    `WHEN ${empty} THEN ${untold} WHEN ${cell} IS NOT NULL AND (NOT ${matches(cell, form)} OR (${value}) IS NULL) THEN ${untold} ELSE ${value} END`;
  if (plan.kind === "timestamp") return { name, value: `CASE ${told(instant, toInstant(cell))}` };
  const value = castName(place);
  const rule = typed(plan, cell, value);
  if (rule === undefined) return { name, value: "NULL::VARCHAR" };
  const { form, test = "false", type } = rule;
  return {
    name,
    value: `CASE WHEN ${test} THEN ${value} ${told(form, value)}`,
    cast: castOf(cell, type, place),
  };
};

/**
 * A column of a file without a declared schema: text, or a date, which is null when it is none. Of the latter those that are no
 * dates pass through `readDate`, which counts them, with the column's number among the dates.
 */
export const freeColumn = (plan: ColumnPlan, source: number, date: number): DuckColumn => {
  const cell = cellName(source);
  if (plan.kind !== "timestamp") return { name: plan.name, value: cell };
  const midnight = castName(source);
  // Ten characters: no infinity, no year before 1 or beyond 9999.
  const isDay = `length(${cell}) = 10 AND ${midnight}::VARCHAR = ${cell}`;
  const isInstant = matches(cell, instant);
  const other = `make_timestamptz(${readDate}(${cell}, ${date}) * 1000)`;
  return {
    name: plan.name,
    value: `CASE WHEN ${isDay} THEN ${toMidnight(midnight)} WHEN ${cell} IS NULL THEN NULL WHEN ${isInstant} THEN coalesce(${toInstant(cell)}, ${other}) ELSE ${other} END`,
    cast: castOf(cell, "DATE", source),
    isFree: true,
  };
};
