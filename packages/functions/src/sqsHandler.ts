/**
 * A Lambda handler for one pipeline's queue: every record through the worker, the failed ones named in the answer.
 *
 * Layers are built once per cold start and live as long as the execution environment. The invocation's deadline is
 * handed down as the lease of every run that begins in it.
 */
import { type Handled, type Pipeline, ProcessDeadline, Worker } from "@millrace/core";
import { Cause, Clock, Effect, type Layer, ManagedRuntime, Schema } from "effect";
import {
  type LambdaContext,
  type SqsBatchResponse,
  SqsEvent,
  type SqsHandler,
  type SqsRecord,
} from "./SqsEvent.ts";

/** Records of a batch that are handled side by side. */
const recordsAtOnce = 4;

/** Makes the handler; `services` is built at the first invocation, and a failure to build it fails that invocation. */
export const makeSqsHandler = <E, F>(
  services: Layer.Layer<Worker, E>,
  pipeline: Effect.Effect<Pipeline, F>,
): SqsHandler => {
  const runtime = ManagedRuntime.make(services);
  return (event, context) => runtime.runPromise(handleBatch(pipeline, event, context));
};

const handleBatch = Effect.fnUntraced(function* <F>(
  pipeline: Effect.Effect<Pipeline, F>,
  event: unknown,
  context: LambdaContext,
) {
  const { Records } = yield* Schema.decodeUnknownEffect(SqsEvent)(event);
  const now = yield* Clock.currentTimeMillis;
  const known = yield* pipeline;
  const failures = yield* Effect.forEach(Records, (record) => handleRecord(known, record), {
    concurrency: recordsAtOnce,
  }).pipe(Effect.provideService(ProcessDeadline, now + context.getRemainingTimeInMillis()));
  const response: SqsBatchResponse = { batchItemFailures: failures.flat() };
  return response;
});

/** Answers with the record's id when its message must come back. */
const handleRecord = Effect.fnUntraced(
  function* (pipeline: Pipeline, record: SqsRecord) {
    const worker = yield* Worker;
    const handled = yield* worker.handle(pipeline, record.body);
    yield* Effect.forEach(handled, (one) => log(pipeline, record, one), { discard: true });
    return [];
  },
  (effect, pipeline, record) =>
    Effect.catchCause(effect, (cause) =>
      Effect.logError("message failed", Cause.pretty(cause)).pipe(
        Effect.annotateLogs({ pipeline: pipeline.name, messageId: record.messageId }),
        Effect.as([{ itemIdentifier: record.messageId }]),
      ),
    ),
);

const log = (pipeline: Pipeline, record: SqsRecord, handled: Handled) =>
  Effect.logInfo("message handled").pipe(
    Effect.annotateLogs({ pipeline: pipeline.name, messageId: record.messageId, ...handled }),
  );
