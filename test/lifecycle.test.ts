/**
 * Goal: what happens to executions is told on the product's bus, ends are notified by attribute, and one pipeline follows
 * another.
 * Method: a whole local mode; queues behind a rule of the bus and behind filtered subscriptions of the topic; the
 * messages of a chained pipeline handled by a worker of the test's own.
 */
import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { assert, layer } from "@effect/vitest";
import { Engine, LifecycleEvent, MessageQueue, type Pipeline, Worker } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import {
  clientConfig,
  localBus,
  localQueues,
  localTopicArn,
  queueArn,
  queueUrl,
  topologyTimes,
} from "@millrace/local";
import { type ChainTopology, pipelines, reconciler, sweeper } from "@millrace/workflows/topology";
import { Effect, Layer, Schema } from "effect";
import { Activity, Workflow } from "effect/workflow";
import { provision } from "../packages/local/src/host/provision.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const decodeBusEvent = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ detail: LifecycleEvent })),
);
const decodeNotification = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({
      Message: Schema.fromJsonString(LifecycleEvent),
      MessageAttributes: Schema.Record(Schema.String, Schema.Struct({ Value: Schema.String })),
    }),
  ),
);

/** Makes a queue, and gives what has come into it so far, each message once. */
const makeQueue = Effect.fnUntraced(function* (QueueName: string) {
  const { clients, connection } = yield* LocalWorld;
  yield* Effect.promise(() => clients.sqs.send(new CreateQueueCommand({ QueueName })));
  const QueueUrl = queueUrl(connection.endpoint, QueueName);
  const bodies: Array<string> = [];
  /** Waits until that many have come, and a moment for one too many. */
  return (count: number) =>
    Effect.promise(async () => {
      for (let isLast = false; !isLast;) {
        isLast = bodies.length >= count;
        const { Messages = [] } = await clients.sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
        );
        for (const { Body = "", ReceiptHandle } of Messages) {
          bodies.push(Body);
          await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
      return bodies;
    });
});

const report: ChainTopology = {
  name: "report",
  workflow: "Report",
  handler: "report",
  after: pipelines.csvToParquet.name,
  outputs: [{ bucket: "clean", prefix: "reports/" }],
  queue: { retentionSeconds: 3_600, receiveCountMax: 3 },
  compute: { timeoutSeconds: 30, memoryMb: 512, concurrencyMax: 2, batchSize: 1 },
};

/** Everything that listens, before anything happens. */
const listeners = Effect.gen(function* () {
  const { clients, connection } = yield* LocalWorld;
  const onBus = yield* makeQueue("heard");
  yield* Effect.promise(async () => {
    const Rule = "all";
    const EventPattern = JSON.stringify({ source: ["millrace"] });
    await clients.events.send(
      new PutRuleCommand({ Name: Rule, EventBusName: localBus, EventPattern }),
    );
    await clients.events.send(
      new PutTargetsCommand({
        Rule,
        EventBusName: localBus,
        Targets: [{ Id: "queue", Arn: queueArn("heard") }],
      }),
    );
  });
  const sns = new SNSClient(clientConfig(connection));
  const subscribe = Effect.fnUntraced(function* (outcome: string) {
    const notified = yield* makeQueue(`notified-${outcome}`);
    yield* Effect.promise(() =>
      sns.send(
        new SubscribeCommand({
          TopicArn: localTopicArn,
          Protocol: "sqs",
          Endpoint: queueArn(`notified-${outcome}`),
          Attributes: { FilterPolicy: JSON.stringify({ outcome: [outcome] }) },
        }),
      ),
    );
    return notified;
  });
  const success = yield* subscribe("success");
  const invalid = yield* subscribe("invalid-data");
  yield* provision(connection, {
    pipelines: Object.values(pipelines),
    chains: [report],
    timesOf: topologyTimes,
    sweeper,
    reconciler,
    sweeps: false,
  });
  const chained = yield* makeQueue(localQueues(report).queue);
  return { onBus, success, invalid, chained };
});

/** A worker of the chained pipeline, with an engine and a journal of its own. */
const Report = Workflow.make("Report", {
  payload: { of: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ of }) => of,
});

const reporter: Pipeline = {
  name: report.name,
  queue: report.name,
  deadLetterQueue: `${report.name}-dead-letters`,
  workflow: Report,
  after: { pipeline: report.after, payloadOf: ({ executionId }) => ({ of: executionId }) },
};

const reporting = Worker.layer.pipe(
  Layer.provide(
    Report.toLayer(({ of }) =>
      Activity.make({ name: "write", success: Schema.String, execute: Effect.succeed(of) }),
    ),
  ),
  Layer.provide(Engine.layerInProcess()),
  Layer.provide(Layer.fresh(SqliteJournal.layerSqlite(":memory:"))),
  Layer.provide(Layer.succeed(MessageQueue, { send: () => Effect.void })),
);

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("executions", (it) => {
  it.effect("are told of on the bus and the topic, and start what follows them", () =>
    Effect.gen(function* () {
      const { chained, invalid, onBus, success } = yield* listeners;
      const { process } = yield* LocalWorld;
      const good = yield* process("incoming/told/good.csv", "id\n1\n2\n");
      const bad = yield* process("incoming/told/bad.csv", Buffer.from([0x89, 0x50, 0, 0, 1, 2]));
      assert.deepStrictEqual([good.row.status, bad.row.status], ["completed", "failed"]);

      const heard = yield* Effect.forEach(yield* onBus(5), (body) => decodeBusEvent(body));
      const kinds = (executionId: string) =>
        heard.flatMap(({ detail }) => (detail.executionId === executionId ? [detail.kind] : []));
      assert.sameMembers(kinds(good.row.executionId), ["ExecutionStarted", "ExecutionCompleted"]);
      assert.sameMembers(kinds(bad.row.executionId), [
        "ExecutionStarted",
        "ExecutionFailed",
        "ExecutionDeadLettered",
      ]);
      assert.lengthOf(new Set(heard.map(({ detail }) => detail.id)), 5);

      const [told, ...more] = yield* Effect.forEach(yield* success(1), (body) =>
        decodeNotification(body),
      );
      assert.lengthOf(more, 0);
      assert.strictEqual(told?.Message.executionId, good.row.executionId);
      assert.strictEqual(told?.MessageAttributes["pipeline"]?.Value, "csv-to-parquet");
      const refused = yield* Effect.forEach(yield* invalid(1), (body) => decodeNotification(body));
      assert.deepStrictEqual(
        refused.map(({ Message }) => [Message.executionId, Message.failure?.failureClass]),
        [[bad.row.executionId, "permanent"]],
      );

      const [next, ...others] = yield* chained(1);
      assert.lengthOf(others, 0);
      yield* Effect.gen(function* () {
        const worker = yield* Worker;
        const [begun] = yield* worker.handle(reporter, next ?? "");
        assert.deepInclude(begun, {
          outcome: "started",
          status: "completed",
          subject: `csv-to-parquet/${good.row.executionId}`,
        });
        const [again] = yield* worker.handle(reporter, next ?? "");
        assert.deepInclude(again, { outcome: "joined", executionId: begun?.executionId ?? "" });
        const [ignored] = yield* worker.handle(
          { ...reporter, after: { pipeline: "another", payloadOf: () => ({ of: "x" }) } },
          next ?? "",
        );
        assert.strictEqual(ignored?.outcome, "ignored");
      }).pipe(Effect.provide(reporting));
    }),
  );
});
