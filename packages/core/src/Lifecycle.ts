/**
 * What the product tells the world about its executions: that they started, ended, failed, were dead-lettered, redriven.
 *
 * At least once, in no order: consumers drop what they have seen by its `id`, which is the same for every copy. Where
 * nobody listens (a test, a replay check) announcements go nowhere.
 */
import { Context, Effect, Schema } from "effect";
import { ObjectCreated } from "./ObjectEvent.ts";

/** The name of the source, and of the bus, of these events. */
export const lifecycleSource = "millrace";

export const LifecycleKind = Schema.Literals([
  "ExecutionStarted",
  "ExecutionRedriven",
  "ExecutionCompleted",
  "ExecutionFailed",
  "ExecutionDeadLettered",
]);
export type LifecycleKind = typeof LifecycleKind.Type;

/**
 * An event's detail; its detail-type is the kind.
 *
 * Shape:  released fields stay; new ones are optional
 */
export const LifecycleEvent = Schema.Struct({
  millrace: Schema.Literal(1),
  id: Schema.String,
  kind: LifecycleKind,
  pipeline: Schema.String,
  workflow: Schema.String,
  executionId: Schema.String,
  /** How often the execution had been redriven. */
  redrives: Schema.Int,
  /** The object that it is about, or the execution that it comes after. */
  subject: Schema.String,
  object: Schema.optionalKey(ObjectCreated),
  /** Of a failure; a permanent one is about the data. */
  failure: Schema.optionalKey(
    Schema.Struct({ tag: Schema.String, message: Schema.String, failureClass: Schema.String }),
  ),
  /** JSON of a success, unless it is too large for an event. */
  result: Schema.optionalKey(Schema.Unknown),
  atEpochMs: Schema.Finite,
});
export type LifecycleEvent = typeof LifecycleEvent.Type;

/** The same occasion has the same id in every process and every repetition. */
export const lifecycleId = (executionId: string, kind: LifecycleKind, redrives: number): string =>
  `${executionId}/${kind}/${redrives}`;

/** What a subscriber can choose by: how it came out, and whether the data or the works were at fault. */
export type Outcome = "success" | "invalid-data" | "failure";

/** A permanent failure is about the data. */
export const outcomeOfFailure = (failureClass: string | undefined): Outcome =>
  failureClass === "permanent" ? "invalid-data" : "failure";

/** The outcome that an event tells; nothing where it is not about an end. */
export const outcomeOf = ({ failure, kind }: LifecycleEvent): Outcome | undefined => {
  if (kind === "ExecutionCompleted") return "success";
  return kind === "ExecutionFailed" ? outcomeOfFailure(failure?.failureClass) : undefined;
};

/** Bus or topic did not take everything: some of it may have been delivered. Announcing again is safe. */
export class LifecycleUnavailable extends Schema.TaggedError<LifecycleUnavailable>()(
  "LifecycleUnavailable",
  { target: Schema.String, reason: Schema.String },
) {
  readonly failureClass = "transient";
  override get message(): string {
    return `${this.target} did not take what was announced (${this.reason}): try again later`;
  }
}

export interface Announcer {
  /** Tells of all of them; at most ten. */
  readonly announce: (
    events: ReadonlyArray<LifecycleEvent>,
  ) => Effect.Effect<void, LifecycleUnavailable>;
}

/** By default announcements go nowhere. */
export const Lifecycle = Context.Reference<Announcer>("@millrace/core/Lifecycle", {
  defaultValue: () => ({ announce: () => Effect.void }),
});

/** The event as it comes from the bus. */
export const CompletedEnvelope = Schema.Struct({
  source: Schema.Literal(lifecycleSource),
  "detail-type": Schema.Literal("ExecutionCompleted"),
  "replay-name": Schema.optionalKey(Schema.String),
  detail: LifecycleEvent,
});

/** The pattern of the rule that starts one pipeline after another. */
export const toCompletionPattern = (pipeline: string): string =>
  JSON.stringify({
    source: [lifecycleSource],
    "detail-type": ["ExecutionCompleted"],
    detail: { pipeline: [pipeline] },
  });
