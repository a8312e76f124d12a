/**
 * Reads a dead-letter queue without losing anything: a message is hidden while it is looked at, and put back at once
 * afterwards unless it was taken out on purpose. A command that is killed puts nothing back; the queue does, two minutes
 * later.
 */
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { Operations } from "@millrace/core";
import type { PipelineDocument } from "@millrace/functions/StageDirectory";
import { Clock, Effect, Schema } from "effect";
import type { Stage } from "../Stage.ts";

type LetterQueue = PipelineDocument["deadLetters"];

/** The queue did not answer. */
export class LetterQueueUnavailable extends Schema.TaggedError<LetterQueueUnavailable>()(
  "LetterQueueUnavailable",
  { queue: Schema.String, cause: Schema.Defect() },
) {
  override get message(): string {
    return `the queue ${this.queue} did not answer (${String(this.cause)}): nothing is lost, repeat the command`;
  }
}

/** How long a letter stays hidden while it is looked at, in seconds: longer than a batch at the slowest usual rate. */
const hiddenSeconds = 120;
const batchSize = 10;

/** What a visitor decides about a letter. */
export type Verdict = "keep" | "remove";

/** How letters are visited. */
export interface LetterVisit<E, R> {
  readonly lettersMax?: number;
  /** Letters that are not wanted are only put back. */
  readonly isWanted: (letter: Operations.RawLetter) => boolean;
  /** Visits a second. @default as fast as they can be read */
  readonly perSecond?: number;
  /** Is finished once it has begun, even when the command is stopped. */
  readonly visit: (letter: Operations.RawLetter) => Effect.Effect<Verdict, E, R>;
}

/** As many as are done before they would be visible to others again. */
const lettersAtOnce = (perSecond: number): number =>
  Math.max(1, Math.min(batchSize, Math.floor((perSecond * hiddenSeconds) / 2)));

/** Hands every wanted letter to `visit` once; those that came after the start are left for the next time. */
export const visitLetters = Effect.fnUntraced(function* <E, R>(
  stage: Stage,
  queue: LetterQueue,
  options: LetterVisit<E, R>,
) {
  const perSecond = options.perSecond ?? Number.POSITIVE_INFINITY;
  const calls = makeCalls(stage, queue, lettersAtOnce(perSecond));
  const turn = yield* Operations.makePace(perSecond);
  const startedEpochMs = yield* Clock.currentTimeMillis;
  const { lettersMax = Number.POSITIVE_INFINITY } = options;
  const held = new Map<string, string>();
  const met = new Set<string>();
  let visited = 0;
  const look = Effect.fnUntraced(function* (message: Message) {
    const raw = toRaw(message);
    held.set(raw.id, message.ReceiptHandle ?? "");
    if (met.has(raw.id)) return false;
    met.add(raw.id);
    // Those that came meanwhile are not asked for, but others may lie behind them.
    if (raw.sentEpochMs > startedEpochMs || visited >= lettersMax) return true;
    visited++;
    if (!options.isWanted(raw)) return true;
    yield* turn;
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        if ((yield* options.visit(raw)) === "keep") return;
        yield* calls.remove(message.ReceiptHandle ?? "");
        held.delete(raw.id);
      }),
    );
    return true;
  });
  yield* Effect.gen(function* () {
    let isMore = true;
    while (isMore) {
      const looked = yield* Effect.forEach(yield* calls.receive, look, {
        concurrency: batchSize,
      });
      // A long poll asks all of SQS's machines: an answer without anything new is the end.
      isMore = looked.includes(true) && visited < lettersMax;
    }
  }).pipe(
    Effect.ensuring(
      Effect.suspend(() =>
        Effect.forEach([...held.values()], (receipt) => Effect.ignore(calls.putBack(receipt)), {
          concurrency: batchSize,
          discard: true,
        }),
      ),
    ),
  );
  return visited;
});

/** About how many letters there are. */
export const countLetters = (stage: Stage, queue: LetterQueue) => makeCalls(stage, queue, 1).count;

const makeCalls = (stage: Stage, queue: LetterQueue, receiveMax: number) => {
  const client = new SQSClient(stage.clients);
  const { url: QueueUrl } = queue;
  const call = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({
      try: run,
      catch: (cause) => new LetterQueueUnavailable({ queue: queue.arn, cause }),
    });
  return {
    receive: Effect.map(
      call(() =>
        client.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: receiveMax,
            VisibilityTimeout: hiddenSeconds,
            WaitTimeSeconds: 1,
            MessageSystemAttributeNames: [
              "ApproximateFirstReceiveTimestamp",
              "ApproximateReceiveCount",
              "SentTimestamp",
            ],
            MessageAttributeNames: ["ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS"],
          }),
        ),
      ),
      ({ Messages = [] }) => Messages,
    ),
    remove: (ReceiptHandle: string) =>
      call(() => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))),
    putBack: (ReceiptHandle: string) =>
      call(() =>
        client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
        ),
      ),
    count: Effect.map(
      call(() =>
        client.send(
          new GetQueueAttributesCommand({
            QueueUrl,
            AttributeNames: ["ApproximateNumberOfMessages"],
          }),
        ),
      ),
      ({ Attributes }) => Number(Attributes?.["ApproximateNumberOfMessages"] ?? 0),
    ),
  };
};

const toRaw = ({
  Attributes,
  Body,
  MessageAttributes,
  MessageId,
}: Message): Operations.RawLetter => {
  const code = MessageAttributes?.["ERROR_CODE"]?.StringValue;
  return {
    id: MessageId ?? "",
    body: Body ?? "",
    sentEpochMs: Number(Attributes?.SentTimestamp ?? 0),
    firstEpochMs: Number(
      Attributes?.ApproximateFirstReceiveTimestamp ?? Attributes?.SentTimestamp ?? 0,
    ),
    receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 0),
    ...(code !== undefined && {
      undelivered: {
        code,
        message: MessageAttributes?.["ERROR_MESSAGE"]?.StringValue ?? "",
        retries: Number(MessageAttributes?.["RETRY_ATTEMPTS"]?.StringValue ?? 0),
      },
    }),
  };
};
