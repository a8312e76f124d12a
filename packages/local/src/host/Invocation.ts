/**
 * What passes between the host and an execution environment: an invocation, and how it ended.
 *
 * As on Lambda, event and answer pass through JSON, and what a handler throws becomes an error document.
 */
import { Schema } from "effect";

export const Invocation = Schema.TaggedStruct("Invocation", {
  requestId: Schema.String,
  event: Schema.Unknown,
  deadlineEpochMs: Schema.Finite,
});
export type Invocation = typeof Invocation.Type;

/** The handler's answer. */
export const InvocationEnded = Schema.TaggedStruct("InvocationEnded", {
  requestId: Schema.String,
  response: Schema.Unknown,
});

/** The handler threw. */
export const InvocationThrew = Schema.TaggedStruct("InvocationThrew", {
  requestId: Schema.String,
  errorType: Schema.String,
  errorMessage: Schema.String,
});

export const EnvironmentMessage = Schema.Union([
  Schema.TaggedStruct("Ready", {}),
  InvocationEnded,
  InvocationThrew,
]);
export type EnvironmentMessage = typeof EnvironmentMessage.Type;
