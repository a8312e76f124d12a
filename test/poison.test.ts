/**
 * Goal: a message that breaks its function each time ends in the dead-letter queue, by the queue's own doing, and reads
 * there like every other dead letter.
 * Method: wakes that nobody has code for, in a whole local mode whose messages come back after three seconds.
 */
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { assert, layer } from "@effect/vitest";
import { Operations } from "@millrace/core";
import { localQueues, queueUrl } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule } from "effect";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const pipeline = pipelines.imageRenditions;

const world = layerLocalWorld({ timeoutSeconds: 2 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a message", (it) => {
  it.effect(
    "that breaks its function each time is given up by the queue, and reads as a dead letter",
    () =>
      Effect.gen(function* () {
        const { clients, connection, deliver } = yield* LocalWorld;
        const body = JSON.stringify({
          _tag: "Wake",
          millrace: 1,
          workflow: "Removed",
          executionId: "abc",
          mode: "automatic",
        });
        yield* deliver(pipeline, body);
        const QueueUrl = queueUrl(connection.endpoint, localQueues(pipeline).deadLetters);
        const received = yield* Effect.promise(() =>
          clients.sqs.send(
            new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["All"] }),
          ),
        ).pipe(
          Effect.repeat({
            until: ({ Messages = [] }) => Messages.length > 0,
            schedule: Schedule.spaced("200 millis"),
          }),
        );
        const [message] = received.Messages ?? [];
        assert.strictEqual(message?.Body, body);
        const letter = yield* Operations.readLetter(pipeline.name, {
          id: message?.MessageId ?? "",
          body: message?.Body ?? "",
          sentEpochMs: Number(message?.Attributes?.SentTimestamp),
          firstEpochMs: Number(message?.Attributes?.ApproximateFirstReceiveTimestamp),
          receiveCount: Number(message?.Attributes?.ApproximateReceiveCount),
        });
        assert.deepInclude(letter, {
          origin: "queue",
          pipeline: pipeline.name,
          subject: "Wake of abc",
          original: body,
        });
        assert.deepStrictEqual(letter.execution, { workflow: "Removed", executionId: "abc" });
        assert.strictEqual(letter.cause.tag, "ReceivedTooOften");
        assert.isAtLeast(letter.attempts, pipeline.queue.receiveCountMax);
        assert.isAbove(letter.firstEpochMs, 0);
      }),
  );
});
