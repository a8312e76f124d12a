/**
 * Goal: the stories of `dailySales.test.ts`, through everything: an upload, functions and tasks as processes, events,
 * and notifications on the topic.
 * Method: a whole local mode in real time. An attempt has 15 seconds instead of 3,600, the pauses are 1.5 and 3 seconds
 * instead of 60 and 120; containers crash, hang and are killed by the object's name.
 */
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { assert, layer } from "@effect/vitest";
import { Journal, LifecycleEvent } from "@millrace/core";
import { clientConfig, localTopicArn, queueArn, queueUrl } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schema } from "effect";
import { fileURLToPath } from "node:url";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { tellTask } from "./tellTask.ts";

const good = `order_id,order_date,store,quantity,unit_price,total_amount
1,2026-11-29,Boston,2,9.99,19.98
`;

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));

const world = layerLocalWorld({
  timeoutSeconds: 30,
  moduleOf: (handler) => {
    if (handler === "task") return fixture("unrulyTask");
    if (handler === "dailySales") return fixture("dailySales");
    return fileURLToPath(import.meta.resolve(`@millrace/functions/${handler}`));
  },
});

const decodeNotification = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({
      Message: Schema.fromJsonString(LifecycleEvent),
      MessageAttributes: Schema.Record(Schema.String, Schema.Struct({ Value: Schema.String })),
    }),
  ),
);

/** The outcomes that subscribers of the topic are notified of, by object. */
const subscribe = Effect.gen(function* () {
  const { clients, connection } = yield* LocalWorld;
  const QueueName = "sales-outcomes";
  yield* Effect.promise(() => clients.sqs.send(new CreateQueueCommand({ QueueName })));
  const sns = new SNSClient(clientConfig(connection));
  yield* Effect.promise(() =>
    sns.send(
      new SubscribeCommand({
        TopicArn: localTopicArn,
        Protocol: "sqs",
        Endpoint: queueArn(QueueName),
        Attributes: {
          FilterPolicy: JSON.stringify({ pipeline: [pipelines.dailySales.name] }),
        },
      }),
    ),
  );
  const QueueUrl = queueUrl(connection.endpoint, QueueName);
  return Effect.gen(function* () {
    const outcomes: Array<readonly [string | undefined, string | undefined]> = [];
    for (let last = 0; last !== outcomes.length || last === 0;) {
      last = outcomes.length;
      const { Messages = [] } = yield* Effect.promise(() =>
        clients.sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
        ),
      );
      for (const { Body = "", ReceiptHandle } of Messages) {
        const { Message, MessageAttributes } = yield* decodeNotification(Body);
        outcomes.push([Message.object?.key, MessageAttributes["outcome"]?.Value]);
        yield* Effect.promise(() =>
          clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
        );
      }
    }
    return outcomes;
  });
});

const startOf = ["announce start", "validate", "transform: launch 1"];
const stories = [
  ["good", "success", [...startOf, "task ended: 0", "transform", "notify success", "completed"]],
  [
    "invalid",
    "invalid-data",
    [
      "announce start",
      "validate",
      "quarantine",
      "DeadLetter",
      "notify invalid data",
      "failed: InvalidSales",
    ],
  ],
  [
    "fails-twice",
    "success",
    [
      ...startOf,
      "task ended: 3 EssentialContainerExited",
      "transform failed: TaskFailed",
      "pause of 1.5 s",
      "transform: launch 2",
      "task ended: 3 EssentialContainerExited",
      "transform failed: TaskFailed",
      "pause of 3 s",
      "transform: launch 3",
      "task ended: 0",
      "transform",
      "notify success",
      "completed",
    ],
  ],
  [
    "killed-once",
    "success",
    [
      ...startOf,
      "task ended: 137 EssentialContainerExited",
      "transform failed: TaskFailed",
      "pause of 1.5 s",
      "transform: launch 2",
      "task ended: 0",
      "transform",
      "notify success",
      "completed",
    ],
  ],
  [
    "too-slow",
    "failure",
    [
      ...startOf,
      "time limit",
      "transform failed: TimedOut",
      "pause of 1.5 s",
      "transform: launch 2",
      "time limit",
      "transform failed: TimedOut",
      "pause of 3 s",
      "transform: launch 3",
      "time limit",
      "transform failed: TimedOut",
      "DeadLetter",
      "notify failure",
      "failed: TimedOut",
    ],
  ],
] as const;

layer(world, { timeout: "120 seconds", excludeTestServices: true })("a day's sales", (it) => {
  it.effect("have the histories and notifications of D2.5, all five at once", () =>
    Effect.gen(function* () {
      const journal = yield* Journal;
      const { process } = yield* LocalWorld;
      const outcomes = yield* subscribe;
      const told = yield* Effect.forEach(
        stories,
        ([name]) =>
          Effect.gen(function* () {
            const { row } = yield* process(
              `sales/${name}.csv`,
              name === "invalid" ? "a,b\n1,2\n" : good,
            );
            return tellTask(yield* journal.load(row.executionId, 0));
          }),
        { concurrency: "unbounded" },
      );
      assert.deepStrictEqual(
        told,
        stories.map(([, , story]): ReadonlyArray<string> => story),
      );
      assert.sameDeepMembers(
        yield* outcomes,
        stories.map(([name, outcome]) => [`sales/${name}.csv`, outcome]),
      );
    }),
  );
});
