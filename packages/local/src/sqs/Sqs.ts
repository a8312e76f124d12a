/**
 * The queues of the embedded AWS: standard SQS queues for use inside the process (event targets, the function host)
 * and, as `operations`, for SQS clients. All time comes from Effect's Clock.
 *
 * It is no FIFO service: FIFO attributes and parameters are refused by name.
 */
import { Context, Effect, Layer } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { LocalState } from "../LocalState.ts";
import type { MessageAttributes } from "./MessageAttributes.ts";
import {
  makeMessages,
  type ReceiveOptions,
  type ReceivedMessage,
  type SentMessage,
} from "./messages.ts";
import { messageOperations } from "./messageOperations.ts";
import { makeMoveTasks } from "./moveTasks.ts";
import { moveTaskOperations } from "./moveTaskOperations.ts";
import { queueOperations } from "./queueOperations.ts";
import { SqsState } from "./SqsState.ts";

export class Sqs extends Context.Service<
  Sqs,
  {
    /** Whether a queue exists. A queue is named by its ARN, its URL or its plain name, here and below. */
    readonly exists: (queue: string) => Effect.Effect<boolean>;
    /** Fails: QueueDoesNotExist, or what SQS finds wrong with the message. */
    readonly send: (
      queue: string,
      message: {
        readonly body: string;
        readonly attributes?: MessageAttributes;
        readonly traceHeader?: string;
        readonly delaySeconds?: number;
      },
    ) => Effect.Effect<SentMessage, AwsError>;
    /** Receives up to `max` messages; with `waitSeconds` it returns as soon as there is one. */
    readonly receive: (
      queue: string,
      options: ReceiveOptions,
    ) => Effect.Effect<ReadonlyArray<ReceivedMessage>, AwsError>;
    readonly delete: (queue: string, receiptHandle: string) => Effect.Effect<void, AwsError>;
    readonly changeVisibility: (
      queue: string,
      receiptHandle: string,
      seconds: number,
    ) => Effect.Effect<void, AwsError>;
    /** The queue's tags; none for a queue that is not there. */
    readonly tagsOf: (queue: string) => Effect.Effect<Readonly<Record<string, string>>>;
    /** The operations of the wire protocol (JSON 1.0, target prefix `AmazonSQS`). */
    readonly operations: JsonOperations;
  }
>()("@millrace/local/sqs/Sqs") {
  static readonly layer = Layer.effect(
    Sqs,
    Effect.gen(function* () {
      const { database } = yield* LocalState;
      const state = new SqsState(database);
      const messages = makeMessages(state);
      const moveTasks = yield* makeMoveTasks(state);
      return Sqs.of({
        exists: (queue) => Effect.sync(() => state.find(queue) !== undefined),
        tagsOf: (queue) => Effect.sync(() => state.find(queue)?.tags ?? {}),
        ...messages,
        operations: {
          ...queueOperations(state),
          ...messageOperations(messages),
          ...moveTaskOperations(moveTasks),
        },
      });
    }),
  );
}
