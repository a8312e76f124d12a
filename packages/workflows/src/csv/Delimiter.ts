/**
 * Which character separates the cells, judged by the header line.
 */
import { Schema } from "effect";
import type { CsvQuote } from "./Quote.ts";

/** The delimiters that are known. */
export const CsvDelimiter = Schema.Literals([",", ";", "\t", "|"]);
export type CsvDelimiter = typeof CsvDelimiter.Type;

const candidates: ReadonlyArray<CsvDelimiter> = CsvDelimiter.literals;

/** How often each candidate stands outside quotes in the first two non-empty lines. */
const countInLines = (
  text: string,
  quote: CsvQuote,
): ReadonlyArray<Record<CsvDelimiter, number>> => {
  const lines: Array<Record<CsvDelimiter, number>> = [];
  let counts = { ",": 0, ";": 0, "\t": 0, "|": 0 };
  let quoted = false;
  let blank = true;
  for (const character of `${text}\n`) {
    if (character === quote) quoted = !quoted;
    if (!quoted && (character === "\n" || character === "\r")) {
      if (!blank) lines.push(counts);
      if (lines.length === 2) break;
      counts = { ",": 0, ";": 0, "\t": 0, "|": 0 };
      blank = true;
      continue;
    }
    blank = false;
    const candidate = candidates.find((one) => one === character);
    if (!quoted && candidate !== undefined) counts[candidate] += 1;
  }
  return lines;
};

/**
 * The delimiter of a file that begins with `text`.
 *
 * The candidate that occurs most often in the header wins, one that occurs equally often in the second line before one
 * that does not; at a tie the earlier of `,` `;` tab `|`. Without any candidate the file has one column: `,`.
 */
export const sniffDelimiter = (text: string, quote: CsvQuote = '"'): CsvDelimiter => {
  const [header, second] = countInLines(text, quote);
  if (header === undefined) return ",";
  const agrees = (one: CsvDelimiter) =>
    second !== undefined && second[one] === header[one] ? 1 : 0;
  return (
    candidates
      .filter((one) => header[one] > 0)
      .reduce<CsvDelimiter | undefined>((best, one) => {
        if (best === undefined) return one;
        const better = agrees(one) - agrees(best) || header[one] - header[best];
        return better > 0 ? one : best;
      }, undefined) ?? ","
  );
};
