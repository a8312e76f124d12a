/**
 * Lambda's event source mapping for one queue: poll, invoke with a batch, delete what succeeded.
 *
 * As on Lambda:
 *  - a function that throws, times out or dies keeps its whole batch in the queue: the messages come back when their
 *    visibility timeout is over;
 *  - the answer names the messages that failed (`ReportBatchItemFailures`); an answer that names an unknown message,
 *    or has another form, fails the whole batch; an empty list, null or none means that all succeeded;
 *  - a mapping that is disabled polls no more: here, one whose queue is tagged as paused (see QueueTagPauses);
 *  - at most `concurrencyMax` invocations run at the same time, each in an environment of its own.
 *
 * Source: AWS Lambda developer guide, "Handling errors for an SQS event source"
 */
import { QueueTagPauses } from "@millrace/core/aws";
import { Effect, Exit, PubSub, Schema } from "effect";
import { localAccount } from "../LocalAccount.ts";
import { Sqs } from "../sqs/Sqs.ts";
import type { ReceivedMessage } from "../sqs/messages.ts";
import {
  type ExecutionEnvironment,
  type FunctionSettings,
  invocationReason,
} from "./ExecutionEnvironment.ts";
import type { HostEvent } from "./HostEvent.ts";
import { makeEnvironments } from "./makeEnvironments.ts";

export interface MappingSettings {
  readonly function: FunctionSettings;
  readonly queueName: string;
  readonly batchSize: number;
  readonly concurrencyMax: number;
}

/** A long poll, in seconds: Lambda's is 20, but a pause made meanwhile is to be seen within a second here. */
const waitSeconds = 1;

/** How often a paused queue is looked at. */
const pauseLook = "100 millis";

const BatchResponse = Schema.Struct({
  batchItemFailures: Schema.optionalKey(
    Schema.NullOr(Schema.Array(Schema.Struct({ itemIdentifier: Schema.String }))),
  ),
});
const decodeResponse = Schema.decodeUnknownExit(Schema.NullOr(BatchResponse));

/** Polls and invokes for ever, in the caller's scope. */
export const runMapping = Effect.fnUntraced(function* (
  settings: MappingSettings,
  events: PubSub.PubSub<HostEvent>,
) {
  const { acquire, release } = yield* makeEnvironments(settings.function, events);
  const poll = Effect.gen(function* () {
    const sqs = yield* Sqs;
    const pause = QueueTagPauses.pauseOf(yield* sqs.tagsOf(settings.queueName));
    if (pause) return yield* Effect.sleep(pauseLook);
    const messages = yield* sqs.receive(settings.queueName, {
      max: settings.batchSize,
      waitSeconds,
    });
    if (messages.length === 0) return;
    const environment = yield* acquire;
    yield* invokeBatch(settings, environment, messages, events);
    yield* release(environment);
  }).pipe(
    Effect.catchCause((cause) =>
      Effect.logWarning(`poller of ${settings.queueName}`, cause).pipe(
        Effect.andThen(Effect.sleep("1 second")),
      ),
    ),
  );
  yield* Effect.all(
    Array.from({ length: settings.concurrencyMax }, () => Effect.forever(poll)),
    { concurrency: "unbounded", discard: true },
  );
});

const invokeBatch = Effect.fnUntraced(function* (
  settings: MappingSettings,
  environment: ExecutionEnvironment,
  messages: ReadonlyArray<ReceivedMessage>,
  events: PubSub.PubSub<HostEvent>,
) {
  const sqs = yield* Sqs;
  const about = {
    function: settings.function.name,
    pid: environment.pid,
    requestId: crypto.randomUUID(),
  };
  yield* PubSub.publish(events, {
    _tag: "InvocationStarted",
    ...about,
    messages: messages.length,
  });
  const event = { Records: messages.map((message) => toRecord(settings.queueName, message)) };
  const exit = yield* Effect.exit(environment.invoke(about.requestId, event));
  if (Exit.isFailure(exit)) {
    const reason = invocationReason(exit.cause);
    yield* PubSub.publish(events, { _tag: "InvocationFailed", ...about, reason });
    return;
  }
  const failed = failedMessages(exit.value, messages);
  const succeeded = messages.filter(({ messageId }) => !failed.has(messageId));
  yield* Effect.forEach(
    succeeded,
    ({ receiptHandle }) => sqs.delete(settings.queueName, receiptHandle),
    { discard: true },
  );
  yield* PubSub.publish(events, { _tag: "InvocationEnded", ...about, failures: failed.size });
});

/** The messages that come back, by Lambda's rules for the answer's form. */
export const failedMessages = (
  response: unknown,
  messages: ReadonlyArray<{ readonly messageId: string }>,
): ReadonlySet<string> => {
  const all = new Set(messages.map(({ messageId }) => messageId));
  const decoded = decodeResponse(response ?? null);
  if (Exit.isFailure(decoded)) return all;
  const named = decoded.value?.batchItemFailures ?? [];
  const ids = named.map(({ itemIdentifier }) => itemIdentifier);
  return ids.every((id) => all.has(id)) ? new Set(ids) : all;
};

/** A record as Lambda hands it to the function. */
const toRecord = (queueName: string, message: ReceivedMessage) => ({
  messageId: message.messageId,
  receiptHandle: message.receiptHandle,
  body: message.body,
  attributes: message.systemAttributes,
  messageAttributes: message.attributes,
  md5OfBody: message.md5OfBody,
  eventSource: "aws:sqs",
  eventSourceARN: `arn:aws:sqs:${localAccount.region}:${localAccount.accountId}:${queueName}`,
  awsRegion: localAccount.region,
});
