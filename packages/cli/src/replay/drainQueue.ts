/**
 * Takes all messages out of a queue that something else is still filling, until that is complete and the queue quiet.
 */
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { Clock, Effect, Schema } from "effect";

/** The queue did not answer. */
export class QueueUnread extends Schema.TaggedError<QueueUnread>()("QueueUnread", {
  url: Schema.String,
  cause: Schema.Defect(),
}) {
  override get message(): string {
    return `the queue ${this.url} did not answer: ${String(this.cause)}`;
  }
}

/** Takers side by side; each has up to ten messages at work. */
const takers = 4;
const batchSize = 10;
/**
 * How long nothing may have come for after the source is complete, in milliseconds: a rule delivers within a second or
 * so, and an event that came later still would only be missing from this count.
 */
const quietMs = 2_000;

const Identified = Schema.fromJsonString(Schema.Struct({ id: Schema.String }));
const decodeIdentified = Schema.decodeUnknownOption(Identified);

interface Drain<E, R, F, S> {
  readonly sqs: SQSClient;
  readonly url: string;
  /** Whether nothing more is sent. */
  readonly isComplete: Effect.Effect<boolean, F, S>;
  readonly take: (body: string) => Effect.Effect<void, E, R>;
}

/** Hands every message to `take` once, even one that is delivered twice. */
export const drainQueue = Effect.fnUntraced(function* <E, R, F, S>(drain: Drain<E, R, F, S>) {
  const { isComplete, sqs, take, url: QueueUrl } = drain;
  const call = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => new QueueUnread({ url: QueueUrl, cause }) });
  const seen = new Set<string>();
  let lastEpochMs = yield* Clock.currentTimeMillis;
  let ended = false;
  const takeOne = Effect.fnUntraced(function* ({ Body = "", MessageId = "" }: Message) {
    const event = decodeIdentified(Body);
    const id = event._tag === "Some" ? event.value.id : MessageId;
    if (seen.has(id)) return;
    seen.add(id);
    yield* take(Body);
  });
  const hasEnded = Effect.gen(function* () {
    if (!(yield* isComplete)) return false;
    if ((yield* Clock.currentTimeMillis) - lastEpochMs < quietMs) return false;
    const { Attributes } = yield* call(() =>
      sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        }),
      ),
    );
    return Object.values(Attributes ?? {}).every((count) => count === "0");
  });
  const taker = Effect.gen(function* () {
    while (!ended) {
      const { Messages = [] } = yield* call(() =>
        sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: batchSize,
            WaitTimeSeconds: 1,
          }),
        ),
      );
      if (Messages.length === 0) {
        ended ||= yield* hasEnded;
        continue;
      }
      lastEpochMs = yield* Clock.currentTimeMillis;
      yield* Effect.forEach(Messages, takeOne, { concurrency: batchSize, discard: true });
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle,
      }));
      yield* call(() => sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })));
    }
  });
  yield* Effect.all(
    Array.from({ length: takers }, () => taker),
    {
      concurrency: takers,
      discard: true,
    },
  );
});
