/**
 * The six fields of a cron expression: minutes, hours, day of month, month, day of week, year.
 *
 * Lists, ranges, steps and names; exactly one of the two day fields is `?`. The wildcards `L`, `W` and `#` are not
 * implemented and refused by name.
 *
 * Source: EventBridge Scheduler user guide, "Schedule types", cron-based schedules
 */
import { epochMsOf, offsetMsAt } from "./TimeZone.ts";

/** What a field lets through; everything when it is a wildcard. */
type Allowed = ReadonlySet<number> | "any";

export interface CronFields {
  readonly minutes: ReadonlyArray<number>;
  readonly hours: ReadonlyArray<number>;
  readonly daysOfMonth: Allowed;
  readonly months: Allowed;
  /** 1 is Sunday. */
  readonly daysOfWeek: Allowed;
  readonly years: Allowed;
}

export type CronProblem =
  | { readonly _tag: "Invalid" }
  | { readonly _tag: "Wildcard"; readonly text: string };

interface FieldRule {
  readonly from: number;
  readonly to: number;
  readonly names?: ReadonlyArray<string>;
}

const monthNames = [
  "JAN",
  "FEB",
  "MAR",
  "APR",
  "MAY",
  "JUN",
  "JUL",
  "AUG",
  "SEP",
  "OCT",
  "NOV",
  "DEC",
];
const dayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const yearMax = 2_199;

const rules = {
  minutes: { from: 0, to: 59 },
  hours: { from: 0, to: 23 },
  daysOfMonth: { from: 1, to: 31 },
  months: { from: 1, to: 12, names: monthNames },
  daysOfWeek: { from: 1, to: 7, names: dayNames },
  years: { from: 1_970, to: yearMax },
} as const;

/** Reads the text between the parentheses of `cron(...)`. */
export const readCron = (text: string): CronFields | CronProblem => {
  const fields = text.trim().split(/\s+/u);
  const [minutes = "", hours = "", daysOfMonth = "", months = "", daysOfWeek = "", years = ""] =
    fields;
  if (fields.length !== 6) return invalid;
  const wildcard = [daysOfMonth, daysOfWeek].find((field) => /L|W|#/u.test(withoutNames(field)));
  if (wildcard !== undefined) return { _tag: "Wildcard", text: wildcard };
  if ((daysOfMonth === "?") === (daysOfWeek === "?")) return invalid;
  const read = {
    minutes: readField(minutes, rules.minutes),
    hours: readField(hours, rules.hours),
    daysOfMonth: daysOfMonth === "?" ? "any" : readField(daysOfMonth, rules.daysOfMonth),
    months: readField(months, rules.months),
    daysOfWeek: daysOfWeek === "?" ? "any" : readField(daysOfWeek, rules.daysOfWeek),
    years: readField(years, rules.years),
  } as const;
  if (!read.minutes || !read.hours || !read.daysOfMonth || !read.months) return invalid;
  if (!read.daysOfWeek || !read.years) return invalid;
  return {
    ...read,
    daysOfMonth: read.daysOfMonth,
    months: read.months,
    daysOfWeek: read.daysOfWeek,
    years: read.years,
    minutes: numbersOf(read.minutes, rules.minutes),
    hours: numbersOf(read.hours, rules.hours),
  };
};

const invalid = { _tag: "Invalid" } as const;

const withoutNames = (field: string): string =>
  dayNames.reduce((text, name) => text.replaceAll(name, ""), field.toUpperCase());

const numbersOf = (allowed: Allowed, { from, to }: FieldRule): ReadonlyArray<number> =>
  allowed === "any"
    ? Array.from({ length: to - from + 1 }, (_, index) => from + index)
    : [...allowed].toSorted((left, right) => left - right);

/** A list of values, ranges and steps; undefined when one of them is none. */
const readField = (field: string, rule: FieldRule): Allowed | undefined => {
  if (field === "*") return "any";
  const numbers = new Set<number>();
  for (const part of field.split(",")) {
    const range = readPart(part, rule);
    if (!range) return undefined;
    for (let value = range.from; value <= range.to; value += range.step) numbers.add(value);
  }
  return numbers;
};

const readPart = (part: string, rule: FieldRule) => {
  const [, first = "", last, stepText] =
    /^(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:\/([1-9][0-9]*))?$/u.exec(part) ?? [];
  const step = stepText === undefined ? 1 : Number(stepText);
  if (first === "*") {
    return last === undefined ? { from: rule.from, to: rule.to, step } : undefined;
  }
  const from = valueOf(first, rule);
  // A step without an end goes on to the end of the field.
  const to = last === undefined ? (stepText === undefined ? from : rule.to) : valueOf(last, rule);
  return from === undefined || to === undefined || from > to ? undefined : { from, to, step };
};

const valueOf = (text: string, { from, names = [], to }: FieldRule): number | undefined => {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return named + from;
  const value = /^[0-9]+$/u.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
};

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** More than any change of clocks: times of a day further back than this need no look at the zone. */
const changeMsMax = 4 * 60 * minuteMs;

/** The first instant after `afterMs` at which the clocks of the zone show what the fields ask for. */
export const nextCron = (cron: CronFields, zone: string, afterMs: number): number | undefined => {
  const offsetMs = offsetMsAt(afterMs, zone);
  const firstDayMs = Math.floor((afterMs + offsetMs) / dayMs) * dayMs;
  for (let dayStartMs = firstDayMs; ; dayStartMs += dayMs) {
    const day = new Date(dayStartMs);
    if (day.getUTCFullYear() > yearMax) return undefined;
    if (!isDay(cron, day)) continue;
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        const localMs = dayStartMs + (hour * 60 + minute) * minuteMs;
        if (localMs - offsetMs < afterMs - changeMsMax) continue;
        const epochMs = epochMsOf(localMs, zone);
        if (epochMs !== undefined && epochMs > afterMs) return epochMs;
      }
    }
  }
};

const isDay = ({ daysOfMonth, daysOfWeek, months, years }: CronFields, day: Date): boolean =>
  lets(years, day.getUTCFullYear()) &&
  lets(months, day.getUTCMonth() + 1) &&
  lets(daysOfMonth, day.getUTCDate()) &&
  lets(daysOfWeek, day.getUTCDay() + 1);

const lets = (allowed: Allowed, value: number): boolean => allowed === "any" || allowed.has(value);
