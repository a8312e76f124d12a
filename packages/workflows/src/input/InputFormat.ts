/**
 * What kind of text a file is: CSV, a JSON array of objects, or NDJSON (an object per line).
 */
import { Schema } from "effect";

/** The formats that are read. */
export const InputFormat = Schema.Literals(["csv", "json", "ndjson"]);
export type InputFormat = typeof InputFormat.Type;

/** Those that are JSON. */
export const JsonFormat = Schema.Literals(["json", "ndjson"]);

/** A header whose first cell is `[id]` is no array of objects, so what follows the bracket is looked at. */
const array = /^\s*\[\s*(?:\{|\]|$)/;
const object = /^\s*\{\s*(?:"|\}|$)/;

/** Judges a file by the beginning of its text. */
export const formatOf = (text: string): InputFormat => {
  if (array.test(text)) return "json";
  return object.test(text) ? "ndjson" : "csv";
};
