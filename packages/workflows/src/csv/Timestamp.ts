/**
 * Text to a point in time, by an explicit rule that knows the calendar and no time zone but UTC.
 *
 * Read are (surrounding blanks ignored):
 *   `2023-02-28`, `2023/02/28`, `20230228`        year first
 *   `28 Feb 2023`, `28-Feb-2023`, `Feb 28, 2023`  English month names, short or whole
 *   `28/02/2023` or `02/28/2023`, also with `.` or `-`: only when told which of the two it is, else null
 * each but `20230228` with an optional time after a blank or `T`: `12:34`, `12:34:56`, `12:34:56.789`, then an optional `Z`,
 * `+01:00`, `+0100` or `+01`. Without an offset the time is UTC. Digits beyond milliseconds are cut off.
 *
 * Null is everything else, dates that no calendar has (2023-02-30, 24:00, a leap second) and years outside 0001-9999.
 * `Date` is not used: it takes 2023-02-30 for 2 March and reads some forms in the process's own time zone.
 */
import { Schema } from "effect";

/** What `01/02/2023` means: 1 February, January 2nd, or nothing certain. */
export const SlashDates = Schema.Literals(["day-first", "month-first", "refuse"]);
export type SlashDates = typeof SlashDates.Type;

const dayMs = 86_400_000;
const minuteMs = 60_000;
const time =
  /(?:(?:[T ]\s*)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const withTime = (date: RegExp): RegExp => new RegExp(`^${date.source}${time.source}`, "i");

const yearFirst = withTime(/(\d{4})([-/])(\d{1,2})\2(\d{1,2})/);
const compact = /^(\d{4})(\d{2})(\d{2})$/;
const dayMonthName = withTime(/(\d{1,2})[ -]([a-z]{3,9})\.?,?[ -](\d{4})/);
const monthNameDay = withTime(/([a-z]{3,9})\.? (\d{1,2}),? (\d{4})/);
const yearLast = withTime(/(\d{1,2})([-/.])(\d{1,2})\2(\d{4})/);

const monthNames = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

/** 1 to 12; 0 when it is no month. `Sept` counts, as people write it. */
const monthNumber = (name: string): number => {
  const lower = name.toLowerCase();
  return (
    monthNames.findIndex(
      (month) =>
        month === lower ||
        month.slice(0, 3) === lower ||
        (month === "september" && lower === "sept"),
    ) + 1
  );
};

const isLeapYear = (year: number): boolean =>
  (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar. */
export const epochDay = (year: number, month: number, day: number): number => {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

/** The calendar date of a point in time, UTC. */
export const calendarDate = (
  epochMs: number,
): { readonly year: number; readonly month: number; readonly day: number } => {
  const shifted = Math.floor(epochMs / dayMs) + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthOfMarchYear = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthOfMarchYear < 10 ? monthOfMarchYear + 3 : monthOfMarchYear - 9;
  const day = dayOfYear - Math.floor((153 * monthOfMarchYear + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
};

/** Minutes east of UTC; null when it is no offset. */
const offsetMinutes = (text: string | undefined): number | null => {
  if (text === undefined || text === "Z" || text === "z") return 0;
  const digits = text.slice(1).replace(":", "");
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2) || "0");
  if (hours > 18 || minutes > 59) return null;
  return (text.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
};

const timeOfDayMs = (parts: ReadonlyArray<string | undefined>): number | null => {
  const [hourText = "0", minuteText = "0", secondText = "0", fraction = "", offsetText] = parts;
  const [hour, minute, second] = [Number(hourText), Number(minuteText), Number(secondText)];
  const offset = offsetMinutes(offsetText);
  if (hour > 23 || minute > 59 || second > 59 || offset === null) return null;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, "0"));
  return (hour * 60 + minute - offset) * minuteMs + second * 1000 + milliseconds;
};

const assemble = (
  year: number,
  month: number,
  day: number,
  timeParts: ReadonlyArray<string | undefined>,
): number | null => {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  const withinDayMs = timeOfDayMs(timeParts);
  return withinDayMs === null ? null : epochDay(year, month, day) * dayMs + withinDayMs;
};

/** Milliseconds since the Unix epoch, or null when the text is no date by the rule above. */
export const parseTimestamp = (text: string, slashDates: SlashDates): number | null => {
  const trimmed = text.trim();
  const first = yearFirst.exec(trimmed);
  if (first !== null)
    return assemble(Number(first[1]), Number(first[3]), Number(first[4]), first.slice(5));
  const basic = compact.exec(trimmed);
  if (basic !== null) return assemble(Number(basic[1]), Number(basic[2]), Number(basic[3]), []);
  const dayFirst = dayMonthName.exec(trimmed);
  if (dayFirst !== null)
    return assemble(
      Number(dayFirst[3]),
      monthNumber(dayFirst[2] ?? ""),
      Number(dayFirst[1]),
      dayFirst.slice(4),
    );
  const monthFirst = monthNameDay.exec(trimmed);
  if (monthFirst !== null)
    return assemble(
      Number(monthFirst[3]),
      monthNumber(monthFirst[1] ?? ""),
      Number(monthFirst[2]),
      monthFirst.slice(4),
    );
  const last = slashDates === "refuse" ? null : yearLast.exec(trimmed);
  if (last === null) return null;
  const [one, other] = [Number(last[1]), Number(last[3])];
  return slashDates === "day-first"
    ? assemble(Number(last[4]), other, one, last.slice(5))
    : assemble(Number(last[4]), one, other, last.slice(5));
};
