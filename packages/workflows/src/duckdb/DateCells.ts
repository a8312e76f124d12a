/**
 * Looks at the cells of the date columns of D1.6 before DuckDB does: how many are dates, and which texts SQL cannot tell.
 *
 * Nearly all dates are ten characters, `2024-02-29`: those are told from their digits, without making a text of them.
 */
import { parseTimestamp, type SlashDates } from "../csv/Timestamp.ts";
import { plainTime } from "./duckColumns.ts";

const dash = 45;
const zero = 48;
const plainLength = 10;

/** A part's date column. */
export interface DateTold {
  readonly filled: number;
  readonly parsed: number;
  /** Whether there are cells with a time of day, in the plain form. */
  readonly hasTimes: boolean;
  /** Whether there are cells that SQL cannot tell. */
  readonly hasOdd: boolean;
}

type Telling = { -readonly [Key in keyof DateTold]: DateTold[Key] };

const times = new RegExp(`^${plainTime}$`);
const nothing = { filled: 0, parsed: 0, hasTimes: false, hasOdd: false };

/** The number of the digits from `from` to `to`; -1 when one is none. */
const digits = (bytes: Uint8Array, from: number, to: number): number => {
  let number = 0;
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
};

/** The date columns of one file, part by part. */
export class DateCells {
  /** The texts of this part that SQL cannot tell, with what they are. */
  odd = new Map<string, number | null>();
  /** The columns, by their place in a row. */
  readonly #columns: ReadonlyArray<number>;
  readonly #slashDates: SlashDates;
  readonly #quote: number;
  readonly #days = new Map<number, boolean>();
  #told: Array<Telling>;

  constructor(columns: ReadonlyArray<number>, quote: number, slashDates: SlashDates) {
    this.#columns = columns;
    this.#quote = quote;
    this.#slashDates = slashDates;
    this.#told = columns.map(() => ({ ...nothing }));
  }

  /** What the part came to; the next one begins. */
  take(): {
    readonly told: ReadonlyArray<DateTold>;
    readonly odd: ReadonlyMap<string, number | null>;
  } {
    const taken = { told: this.#told, odd: this.odd };
    this.#told = this.#columns.map(() => ({ ...nothing }));
    this.odd = new Map();
    return taken;
  }

  /** Looks at a row whose cells end where `ends` says. */
  look(bytes: Uint8Array, from: number, ends: Int32Array): void {
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index] ?? 0;
      const start = column === 0 ? from : (ends[column - 1] ?? 0) + 1;
      const end = ends[column] ?? start;
      const told = this.#told[index];
      if (told === undefined || end === start) continue;
      if (bytes[start] === this.#quote) this.#text(told, unquoted(bytes, start, end));
      else this.#cell(told, bytes, start, end);
    }
  }

  #cell(told: Telling, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== plainLength) {
      this.#text(told, Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
      return;
    }
    const day = this.#day(bytes, start);
    if (day === undefined) {
      this.#text(told, Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
      return;
    }
    told.filled += 1;
    if (day) told.parsed += 1;
  }

  /** Whether ten bytes are a day of the calendar; undefined when they are not of the plain form. */
  #day(bytes: Uint8Array, start: number): boolean | undefined {
    if (bytes[start + 4] !== dash || bytes[start + 7] !== dash) return undefined;
    const year = digits(bytes, start, start + 4);
    const month = digits(bytes, start + 5, start + 7);
    const day = digits(bytes, start + 8, start + 10);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
    const key = (year * 100 + month) * 100 + day;
    const known = this.#days.get(key);
    if (known !== undefined) return known;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, plainLength).toString();
    const isDay = parseTimestamp(text, this.#slashDates) !== null;
    this.#days.set(key, isDay);
    return isDay;
  }

  #text(told: Telling, text: string): void {
    if (text === "") return;
    told.filled += 1;
    const bytes = Buffer.from(text, "utf8");
    const day = bytes.length >= plainLength ? this.#day(bytes, 0) : undefined;
    if (day !== undefined && times.test(text.slice(plainLength))) {
      told.hasTimes = true;
      if (day) told.parsed += 1;
      return;
    }
    told.hasOdd = true;
    let value = this.odd.get(text);
    if (value === undefined) {
      value = parseTimestamp(text, this.#slashDates);
      this.odd.set(text, value);
    }
    if (value !== null) told.parsed += 1;
  }
}

/** The text of a cell in quotes, which end with it. */
const unquoted = (bytes: Uint8Array, start: number, end: number): string => {
  const quote = String.fromCodePoint(bytes[start] ?? 0);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start + 1, end - start - 2)
    .toString()
    .replaceAll(quote + quote, quote);
};
