/**
 * What logs and traces are told about a run: annotations on every line inside it, spans where somebody traces.
 *
 * A run is a span of the invocation that it happens in. The runs of one execution happen in different invocations, hours
 * or processes apart: they are tied together by links. Each run's span is recorded with the fact that it began, and the
 * next one, whoever runs it, links to it and to the first.
 *
 * Spans say what was done, never with what: no payload, no result, and of a failure its tag alone.
 */
import { Context, Effect, Exit, Option, Schema, Tracer } from "effect";
import type { Workflow } from "effect/workflow";
import type { ExecutionState } from "./ExecutionState.ts";
import { describeFailure } from "./Failure.ts";
import type { TraceContext } from "./HistoryEvent.ts";
import type { LiveExecution } from "./LiveExecution.ts";
import { ObjectRef, objectName } from "./ObjectEvent.ts";

/** Whether spans go anywhere. Without it none are made: a random id for each step costs more than the step's replay. */
export const Tracing = Context.Reference<boolean>("@millrace/core/Tracing", {
  defaultValue: () => false,
});

const isObjectPayload = Schema.is(Schema.Struct({ object: ObjectRef }));

/** What every line inside the run says. */
const annotationsOf = ({ executionId, registered, started }: LiveExecution) => ({
  execution: executionId,
  workflow: registered.workflow._tag,
  ...(started && { key: started.idempotencyKey }),
  ...(isObjectPayload(started?.payload) && { object: objectName(started.payload.object) }),
});

/** Annotates the lines of a run whose history is loaded. */
export const annotateRun =
  (live: LiveExecution) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.annotateLogs(self, annotationsOf(live));

/** A span around the effect, where something traces. */
export const inSpan =
  (name: string, attributes: Readonly<Record<string, string | number>>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Tracing, (isTraced) =>
      isTraced ? Effect.withSpan(name, { attributes }, { captureStackTrace: false })(self) : self,
    );

/** The span around a request to advance an execution; it knows only afterwards whether there was anything to run. */
export const traceRun = ({ executionId, registered }: LiveExecution) =>
  inSpan(`run ${registered.workflow._tag}`, { "millrace.execution": executionId });

/** Links the current span to another one, where something traces. */
export const linkSpan = Effect.fnUntraced(function* (to: TraceContext | undefined, why: string) {
  if (!to || !(yield* Tracing)) return;
  const span = yield* Effect.option(Effect.currentSpan);
  if (Option.isNone(span)) return;
  span.value.addLinks([
    { span: Tracer.externalSpan({ ...to, sampled: true }), attributes: { "millrace.link": why } },
  ]);
});

/** Ties the run's span to those before it; gives what the fact of its beginning says of it. */
export const linkRun = Effect.fnUntraced(function* (state: ExecutionState | undefined) {
  if (!(yield* Tracing)) return {};
  const span = yield* Effect.option(Effect.currentSpan);
  if (Option.isNone(span)) return {};
  const { spanId, traceId } = span.value;
  const links = [
    ["previous run", state?.trace],
    ["first run", state?.firstTrace],
  ] as const;
  for (const [link, to] of links) {
    // The same process may run it twice within one span.
    if (to?.spanId !== spanId) yield* linkSpan(to, link);
  }
  span.value.attribute("millrace.run", (state?.runCount ?? 0) + 1);
  const trace: TraceContext = { traceId, spanId };
  return { trace };
});

/** An attempt that failed, as its span shows it. */
class AttemptFailed extends Schema.TaggedError<AttemptFailed>()("AttemptFailed", {
  tag: Schema.String,
}) {
  override get message(): string {
    return this.tag;
  }
}

type Result = Workflow.Result<unknown, unknown>;

const failureOf = (result: Result): AttemptFailed | undefined => {
  if (result._tag === "Suspended" || Exit.isSuccess(result.exit)) return undefined;
  const [reason] = result.exit.cause.reasons;
  const error =
    reason?._tag === "Fail" ? reason.error : reason?._tag === "Die" ? reason.defect : undefined;
  return new AttemptFailed({ tag: describeFailure(error).tag });
};

/** Puts a span around one attempt of an activity that is really made. */
export const traceAttempt =
  (live: LiveExecution, activity: string, attempt: number) =>
  <R>(self: Effect.Effect<Result, never, R>): Effect.Effect<Result, never, R> =>
    Effect.flatMap(Tracing, (isTraced) =>
      isTraced ? attemptInSpan(live, activity, attempt, self) : self,
    );

const attemptInSpan = <R>(
  live: LiveExecution,
  activity: string,
  attempt: number,
  self: Effect.Effect<Result, never, R>,
): Effect.Effect<Result, never, R> => {
  let kept: Result | undefined;
  return self.pipe(
    Effect.flatMap((result) => {
      kept = result;
      const failure = failureOf(result);
      if (!failure) return Effect.succeed(result);
      return Effect.andThen(
        Effect.annotateCurrentSpan("error.type", failure.tag),
        Effect.fail(failure),
      );
    }),
    Effect.withSpan(
      `activity ${activity}`,
      {
        attributes: {
          "millrace.execution": live.executionId,
          "millrace.workflow": live.registered.workflow._tag,
          "millrace.attempt": attempt,
        },
      },
      { captureStackTrace: false },
    ),
    Effect.catchTag("AttemptFailed", (failure) =>
      kept ? Effect.succeed(kept) : Effect.die(failure),
    ),
  );
};
