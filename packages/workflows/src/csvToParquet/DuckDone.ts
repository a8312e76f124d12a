/**
 * What the DuckDB engine came to with a part, as it is recorded.
 */
import { Schema } from "effect";
import { PartDone } from "./PartDone.ts";

/** The part, or why the stream engine takes the file. */
export const DuckDone = Schema.Union([
  Schema.TaggedStruct("Done", { part: PartDone }),
  Schema.TaggedStruct("Left", { reason: Schema.String }),
]);
export type DuckDone = typeof DuckDone.Type;
