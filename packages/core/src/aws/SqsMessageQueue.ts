/**
 * The queue seam on SQS.
 */
import { SendMessageCommand, SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { Effect, Layer } from "effect";
import { MessageQueue, QueueUnavailable } from "../MessageQueue.ts";
import { awsFailure } from "./awsFailure.ts";

const requestTimeoutMs = 5_000;

/** `urlOf` gives the URL of a queue by its name in the topology. */
export const layerSqs = (
  urlOf: (queue: string) => string,
  config: SQSClientConfig = {},
): Layer.Layer<MessageQueue> =>
  Layer.effect(
    MessageQueue,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new SQSClient({
              requestHandler: {
                requestTimeout: requestTimeoutMs,
                // Else the time-out is only logged.
                throwOnRequestTimeout: true,
                connectionTimeout: 1_000,
              },
              ...config,
            }),
        ),
        (client) => Effect.sync(() => client.destroy()),
      ),
      (client) =>
        MessageQueue.of({
          send: (queue, body, options) =>
            Effect.tryPromise({
              try: () =>
                client.send(
                  new SendMessageCommand({
                    QueueUrl: urlOf(queue),
                    MessageBody: body,
                    DelaySeconds: Math.ceil((options?.delayMs ?? 0) / 1_000),
                  }),
                ),
              catch: (cause) => new QueueUnavailable({ queue, ...awsFailure(cause) }),
            }).pipe(Effect.asVoid),
        }),
    ),
  );
