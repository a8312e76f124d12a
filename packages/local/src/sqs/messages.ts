/**
 * Sending, receiving, deleting and hiding messages: the typed core that the wire operations and the rest of the
 * process share.
 */
import { Clock, Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { localAccount } from "../LocalAccount.ts";
import {
  attributesBytes,
  checkAttributes,
  hasInvalidCharacters,
  md5,
  md5OfAttributes,
  MessageAttributes,
} from "./MessageAttributes.ts";
import type { StoredMessage } from "./MessageStore.ts";
import {
  checkSeconds,
  delaySecondsMax,
  settingMs,
  visibilitySecondsMax,
  waitSecondsMax,
} from "./QueueSettings.ts";
import type { Queue } from "./QueueStore.ts";
import { makeReceiptHandle, readReceiptHandle } from "./ReceiptHandle.ts";
import { invalidParameter, invalidValue, missingParameter, sqsError } from "./SqsErrors.ts";
import type { SqsState } from "./SqsState.ts";

export interface OutgoingMessage {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  readonly traceHeader?: string;
  readonly delaySeconds?: number;
}

export interface SentMessage {
  readonly messageId: string;
  readonly md5OfBody: string;
  readonly md5OfAttributes: string | undefined;
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly max?: number;
  /** The queue's own time-outs apply when these are left out. */
  readonly visibilitySeconds?: number;
  readonly waitSeconds?: number;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  /** System attributes by SQS's names, e.g. `ApproximateReceiveCount`; all values are text. */
  readonly systemAttributes: Readonly<Record<string, string>>;
  readonly attributes: MessageAttributes;
}

export type Messages = ReturnType<typeof makeMessages>;

/** The largest batch of a receive. */
const receiveMax = 10;

export const messageBytes = ({
  body,
  attributes = {},
  traceHeader = "",
}: OutgoingMessage): number =>
  Buffer.byteLength(body) + attributesBytes(attributes) + Buffer.byteLength(traceHeader);

export const makeMessages = (state: SqsState) => ({
  send: makeSend(state),
  receive: makeReceive(state),
  delete: makeDelete(state),
  changeVisibility: makeChangeVisibility(state),
  need: (queue: string) => state.need(queue),
});

const makeSend = (state: SqsState) =>
  Effect.fnUntraced(function* (reference: string, message: OutgoingMessage) {
    const queue = yield* state.need(reference);
    yield* checkMessage(queue, message);
    const { body, attributes = {}, traceHeader, delaySeconds } = message;
    const nowMs = yield* Clock.currentTimeMillis;
    const delayMs =
      delaySeconds === undefined ? settingMs(queue.settings, "DelaySeconds") : delaySeconds * 1_000;
    const stored = { body, attributes: JSON.stringify(attributes), traceHeader };
    const messageId = state.messages.insert(queue.name, stored, nowMs, delayMs);
    state.arrivals.notify(queue.name);
    return { messageId, md5OfBody: md5(body), md5OfAttributes: md5OfAttributes(attributes) };
  });

const take = (state: SqsState, queue: Queue, nowMs: number, max: number, visibilityMs: number) => {
  state.expire(queue, nowMs);
  const redrive = state.redriveOf(queue);
  const taken = state.messages.receive(queue.name, { nowMs, max, visibilityMs, redrive });
  if (redrive !== undefined && taken.deadLettered > 0) state.arrivals.notify(redrive.queue);
  return taken.messages;
};

const makeReceive = (state: SqsState) =>
  Effect.fnUntraced(function* (reference: string, options: ReceiveOptions) {
    const { settings } = yield* state.need(reference);
    const { max = 1, visibilitySeconds, waitSeconds } = options;
    yield* checkReceive(max, visibilitySeconds, waitSeconds);
    const visibilityMs =
      visibilitySeconds === undefined
        ? settingMs(settings, "VisibilityTimeout")
        : visibilitySeconds * 1_000;
    const waitMs =
      waitSeconds === undefined
        ? settingMs(settings, "ReceiveMessageWaitTimeSeconds")
        : waitSeconds * 1_000;
    const deadlineMs = (yield* Clock.currentTimeMillis) + waitMs;
    while (true) {
      // Looked up again after each wait: the queue may have been changed or deleted meanwhile.
      const queue = yield* state.need(reference);
      const version = state.arrivals.version(queue.name);
      const nowMs = yield* Clock.currentTimeMillis;
      const messages = take(state, queue, nowMs, max, visibilityMs);
      if (messages.length > 0 || nowMs >= deadlineMs) {
        return messages.map((message) => received(queue.name, message));
      }
      const nextMs = state.messages.nextVisibleMs(queue.name, nowMs) ?? deadlineMs;
      yield* Effect.timeoutOrElse(state.arrivals.wait(queue.name, version), {
        duration: Math.min(nextMs, deadlineMs) - nowMs,
        orElse: () => Effect.void,
      });
    }
  });

const makeDelete = (state: SqsState) =>
  Effect.fnUntraced(function* (reference: string, handle: string) {
    const queue = yield* state.need(reference);
    const { sequence, receipt } = yield* readReceiptHandle(queue.name, handle);
    state.messages.remove(queue.name, sequence, receipt);
  });

const makeChangeVisibility = (state: SqsState) =>
  Effect.fnUntraced(function* (reference: string, handle: string, seconds: number) {
    const queue = yield* state.need(reference);
    yield* checkSeconds("VisibilityTimeout", seconds, visibilitySecondsMax);
    const { sequence, receipt } = yield* readReceiptHandle(queue.name, handle);
    const nowMs = yield* Clock.currentTimeMillis;
    const message = state.messages.find(queue.name, sequence);
    if (message === undefined || message.receipt !== receipt) {
      return yield* invalidValue(
        "ReceiptHandle",
        handle,
        "Message does not exist or is not available for visibility timeout change.",
      );
    }
    if (message.visibleMs <= nowMs) {
      return yield* sqsError(
        "MessageNotInflight",
        "The message referred to is not in flight: its visibility timeout has passed.",
      );
    }
    const visibleMs = nowMs + seconds * 1_000;
    if (visibleMs - (message.lastReceivedMs ?? nowMs) > visibilitySecondsMax * 1_000) {
      return yield* invalidValue(
        "VisibilityTimeout",
        String(seconds),
        `Total VisibilityTimeout for the message is beyond the limit [${visibilitySecondsMax} seconds].`,
      );
    }
    state.messages.showAt(sequence, visibleMs);
    state.arrivals.notify(queue.name);
  });

const checkMessage = Effect.fnUntraced(function* (
  queue: Queue,
  message: OutgoingMessage,
): Effect.fn.Return<void, AwsError> {
  const { body, attributes = {}, delaySeconds } = message;
  if (body === "") return yield* missingParameter("MessageBody");
  if (hasInvalidCharacters(body)) {
    return yield* sqsError(
      "InvalidMessageContents",
      "Invalid characters found. Allowed are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.",
    );
  }
  yield* checkAttributes(attributes);
  const bytesMax = Number(queue.settings["MaximumMessageSize"]);
  if (messageBytes(message) > bytesMax) {
    return yield* invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${bytesMax} bytes.`,
    );
  }
  if (delaySeconds !== undefined)
    yield* checkSeconds("DelaySeconds", delaySeconds, delaySecondsMax);
});

const checkReceive = Effect.fnUntraced(function* (
  max: number,
  visibilitySeconds: number | undefined,
  waitSeconds: number | undefined,
): Effect.fn.Return<void, AwsError> {
  if (!Number.isInteger(max) || max < 1 || max > receiveMax) {
    return yield* invalidValue(
      "MaxNumberOfMessages",
      String(max),
      `Must be between 1 and ${receiveMax}, if provided.`,
    );
  }
  if (visibilitySeconds !== undefined) {
    yield* checkSeconds("VisibilityTimeout", visibilitySeconds, visibilitySecondsMax);
  }
  if (waitSeconds !== undefined)
    yield* checkSeconds("WaitTimeSeconds", waitSeconds, waitSecondsMax);
});

const readAttributes = Schema.decodeSync(Schema.fromJsonString(MessageAttributes));

const received = (queue: string, message: StoredMessage): ReceivedMessage => ({
  messageId: message.id,
  receiptHandle: makeReceiptHandle(queue, message.sequence, message.receipt ?? ""),
  body: message.body,
  md5OfBody: md5(message.body),
  systemAttributes: {
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs ?? 0),
    ApproximateReceiveCount: String(message.receiveCount),
    SenderId: localAccount.accountId,
    SentTimestamp: String(message.sentMs),
    ...(message.traceHeader === undefined ? {} : { AWSTraceHeader: message.traceHeader }),
    ...(message.source === undefined ? {} : { DeadLetterQueueSourceArn: message.source }),
  },
  attributes: message.attributes === "{}" ? {} : readAttributes(message.attributes),
});
