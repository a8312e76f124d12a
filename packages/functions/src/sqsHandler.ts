/**
 * A Lambda handler for one pipeline's queue: every record through the worker, the failed ones named in the answer.
 *
 * Layers are built once per cold start and live as long as the execution environment. The invocation's deadline is
 * handed down as the lease of every run that begins in it.
 */
import {
  inSpan,
  Metrics,
  type Pipeline,
  ProcessDeadline,
  ProcessStop,
  Retry,
  Worker,
} from "@millrace/core";
import { Cause, Clock, Effect, type Layer, ManagedRuntime, Schema } from "effect";
import { handleRecords, RecordTimes } from "./handleRecords.ts";
import { printMetrics } from "./printMetrics.ts";
import {
  deliveryOf,
  type LambdaContext,
  SqsEvent,
  type SqsHandler,
  type SqsRecord,
} from "./SqsEvent.ts";
import { stopOf } from "./stopOf.ts";
import { makeFlushTraces } from "./tracing.ts";
import { linkUpstream } from "./upstreamTrace.ts";

/** Makes the handler; `services` is built at the first invocation, and a failure to build it fails that invocation. */
export const makeSqsHandler = <R, E, F>(
  services: Layer.Layer<Worker | R, E>,
  pipeline: Effect.Effect<Pipeline, F, R>,
): SqsHandler => {
  const runtime = ManagedRuntime.make(services);
  const times = new RecordTimes();
  const flushTraces = makeFlushTraces();
  return (event, context) =>
    runtime.runPromise(
      handleBatch(pipeline, event, context, times).pipe(
        inSpan("invocation", { "faas.invocation_id": context.awsRequestId }),
        Effect.ensuring(Effect.suspend(() => flushTraces(context.getRemainingTimeInMillis()))),
      ),
    );
};

const handleBatch = Effect.fnUntraced(function* <F, R>(
  pipeline: Effect.Effect<Pipeline, F, R>,
  event: unknown,
  context: LambdaContext,
  times: RecordTimes,
) {
  const { Records } = yield* Schema.decodeUnknownEffect(SqsEvent)(event);
  const now = yield* Clock.currentTimeMillis;
  const deadlineEpochMs = now + context.getRemainingTimeInMillis();
  const known = yield* pipeline;
  return yield* handleRecords(Records, deadlineEpochMs, times, (record) =>
    handleRecord(known, record).pipe(
      Effect.tap(() => linkUpstream(record)),
      Effect.annotateLogs({ pipeline: known.name, messageId: record.messageId }),
      inSpan("message", {
        "messaging.message.id": record.messageId,
        "millrace.pipeline": known.name,
      }),
    ),
  ).pipe(
    Retry.withBudget(),
    Effect.provideService(ProcessDeadline, deadlineEpochMs),
    Effect.provideService(ProcessStop, context.stopping && stopOf(context.stopping)),
    printMetrics(known.name),
  );
});

const handleRecord = Effect.fnUntraced(
  function* (pipeline: Pipeline, record: SqsRecord) {
    const worker = yield* Worker;
    const handled = yield* worker.handle(pipeline, record.body, deliveryOf(record));
    for (const one of handled) {
      yield* Metrics.countOutcome(one.outcome);
      yield* Effect.annotateLogs(Effect.logInfo("message handled"), { ...one });
    }
    return "done" as const;
  },
  (effect) =>
    Effect.catchCause(effect, (cause) =>
      Effect.as(Effect.logError("message failed", Cause.pretty(cause)), "return" as const),
    ),
);
