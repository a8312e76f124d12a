/**
 * What the functions say in their logs: each handled message, each activity that begins.
 */
import type { HostEvent } from "@millrace/local";
import { Option, Schema } from "effect";

const LogLine = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.Unknown,
    annotations: Schema.Struct({
      pipeline: Schema.optionalKey(Schema.String),
      outcome: Schema.optionalKey(Schema.String),
      subject: Schema.optionalKey(Schema.String),
      executionId: Schema.optionalKey(Schema.String),
      status: Schema.optionalKey(Schema.String),
      reason: Schema.optionalKey(Schema.String),
      replayName: Schema.optionalKey(Schema.String),
      activity: Schema.optionalKey(Schema.String),
      key: Schema.optionalKey(Schema.String),
    }),
  }),
);
const decodeLine = Schema.decodeUnknownOption(LogLine);

/** A line of a function's log, with the process that wrote it. */
export type LoggedLine = (typeof LogLine.Type)["annotations"] & {
  readonly pid: number;
  readonly text: string;
};

/** Reads a line of ours; nothing for what else a process may print. */
export const readLogLine = (
  event: Extract<HostEvent, { _tag: "Line" }>,
): Option.Option<LoggedLine> =>
  Option.map(decodeLine(event.line), ({ annotations, message }) => ({
    ...annotations,
    pid: event.pid,
    text: String(message),
  }));
