/**
 * What the history holds of a part: what was written, and where the next one begins.
 */
import { Schema } from "effect";
import { CsvPart, CsvReport } from "../csv/CsvReport.ts";
import { PassPosition } from "../csv/PassPosition.ts";

const Written = Schema.Struct({ key: Schema.String, etag: Schema.String });
/** An object that was written, as it was. */
export type Written = typeof Written.Type;

export const PartDone = Schema.Struct({
  /** Nothing when no row was left. */
  part: Schema.optionalKey(CsvPart),
  parquet: Schema.optionalKey(Written),
  rejects: Schema.optionalKey(Written),
  /** The hashes of its rows; removed when the file has ended. */
  hashes: Schema.optionalKey(Written),
  /** Where the next part begins. */
  next: Schema.optionalKey(PassPosition),
  /** Of all parts, with the last one. */
  report: Schema.optionalKey(CsvReport),
});
export type PartDone = typeof PartDone.Type;
