/**
 * A row that could not be taken: kept with its line, the reason and its raw text, never dropped silently.
 */
import { Schema } from "effect";
import { rejectTextMax } from "./Limits.ts";

/** Why a row was rejected; `step:<name>` by a step of the pipeline. */
export const RejectReason = Schema.Union([
  Schema.Literals([
    "row-too-short",
    "row-too-long",
    "stray-quote",
    "nul-character",
    "does-not-fit",
    "not-json",
    "not-an-object",
    "broken-text",
    "unknown-key",
  ]),
  Schema.TemplateLiteral(["step:", Schema.String]),
]);
export type RejectReason = typeof RejectReason.Type;

/** One rejected row. */
export const Reject = Schema.Struct({
  /** Where the row begins, from 1; the header counts. */
  line: Schema.Int,
  reason: RejectReason,
  /** The declared column that the row does not fit. */
  column: Schema.optionalKey(Schema.String),
  /** The reason in words, with figures; never what a cell holds. */
  detail: Schema.String,
  /** The row's text without its line end, cut at 4,096 characters. */
  raw: Schema.String,
  /** True when `raw` was cut. */
  cut: Schema.Boolean,
});
export type Reject = typeof Reject.Type;

/** Why a row is rejected. */
export type Fault = Pick<Reject, "reason" | "detail" | "column">;

/** A reject from the row's bytes (UTF-8). */
export const makeReject = (
  line: number,
  { column, detail, reason }: Fault,
  bytes: Uint8Array,
): Reject => {
  // A character takes at most 4 bytes: more need not be decoded.
  const text = Buffer.from(bytes.subarray(0, rejectTextMax * 4 + 4))
    .toString("utf8")
    .replace(/[\r\n]+$/, "");
  const raw = text.slice(0, rejectTextMax).toWellFormed();
  return {
    line,
    reason,
    ...(column !== undefined && { column }),
    detail,
    raw,
    cut: raw.length < text.length || bytes.length > rejectTextMax * 4 + 4,
  };
};
