/**
 * What the DuckDB engine came to with a file, as it is recorded.
 */
import { Schema } from "effect";
import { PartDone } from "./PartDone.ts";

/** The parts, or why the stream engine takes the file. */
export const DuckDone = Schema.Union([
  Schema.TaggedStruct("Done", { parts: Schema.Array(PartDone) }),
  Schema.TaggedStruct("Left", { reason: Schema.String }),
]);
export type DuckDone = typeof DuckDone.Type;
