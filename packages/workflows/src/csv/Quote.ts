/**
 * Which character is around cells that hold a delimiter or a line end. Inside, it is doubled.
 */
import { Schema } from "effect";

/** The quotes that are known; with `none` every character of a cell is text. */
export const CsvQuote = Schema.Literals(['"', "'", "none"]);
export type CsvQuote = typeof CsvQuote.Type;

/** The quote's byte; one that no UTF-8 has when there is none. */
export const quoteByte = (quote: CsvQuote): number =>
  quote === "none" ? 0xff : quote.charCodeAt(0);
