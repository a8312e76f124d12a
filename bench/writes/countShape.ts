/**
 * Runs one execution of each shape as Lambda would: the worker on an S3 event, a journal and an index in DynamoDB
 * (dynalite, behind the unmodified client), and a queue whose messages are handled one by one.
 */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  Engine,
  MessageQueue,
  type Pipeline,
  QueueSchedules,
  QueueWakes,
  toEventText,
  Worker,
} from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoJournal,
  executionsTable,
  journalTable,
} from "@millrace/core/aws";
import { Effect, Layer } from "effect";
import { startDynalite } from "../../packages/core/test/dynalite.ts";
import { type Counts, countRequests, noCounts, tables } from "./Counts.ts";
import { layerShapes, shapes } from "./workflows.ts";

const queue = "bench";
const bucket = "raw";

interface Message {
  readonly body: string;
  readonly atMs: number;
}

const clientConfig = Effect.gen(function* () {
  const endpoint = yield* startDynalite;
  const config = {
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
  };
  const admin = new DynamoDBClient(config);
  for (const [TableName, definition] of [
    [tables.journal, journalTable],
    [tables.executions, executionsTable],
  ] as const) {
    yield* Effect.promise(() => admin.send(new CreateTableCommand({ TableName, ...definition })));
  }
  admin.destroy();
  return config;
});

const eventFor = (workflow: string): string =>
  toEventText({
    bucket,
    key: `incoming/2026/11/20/${workflow}.csv`,
    versionId: "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY",
    etag: "d41d8cd98f00b204e9800998ecf8427e",
    sizeBytes: 123_456,
    sequencer: "0066F1A2B3C4D5E6F7",
    eventEpochMs: Date.UTC(2026, 10, 20),
  });

/** Handles the event and all that it leads to. */
const runShape = Effect.fnUntraced(function* (
  workflow: Pipeline["workflow"],
  messages: Array<Message>,
  counts: Counts,
) {
  const worker = yield* Worker;
  const pipeline: Pipeline = {
    name: queue,
    trigger: { bucket, prefix: "incoming/", suffixes: [".csv"] },
    bucketName: bucket,
    queue,
    deadLetterQueue: `${queue}-dead-letters`,
    workflow,
    payloadOf: (object) => ({ object }),
  };
  messages.push({ body: eventFor(workflow._tag), atMs: performance.now() });
  for (let message = messages.shift(); message; message = messages.shift()) {
    yield* Effect.sleep(Math.max(0, message.atMs - performance.now()));
    counts.invocations++;
    yield* worker.handle(pipeline, message.body);
  }
});

/** The counts of each shape, in their order. */
export const countShapes = Effect.gen(function* () {
  const config = yield* clientConfig;
  const messages: Array<Message> = [];
  const counts = noCounts();
  const inMemory = Layer.succeed(MessageQueue, {
    send: (_queue, body, options = {}) =>
      Effect.sync(() => {
        counts.messagesSent++;
        messages.push({ body, atMs: performance.now() + (options.delayMs ?? 0) });
      }),
  });
  const stores = Layer.merge(
    DynamoJournal.layerDynamo(tables.journal),
    DynamoExecutions.layerDynamo(tables.executions),
  ).pipe(Layer.provideMerge(DocumentClient.layer(config)), Layer.provideMerge(inMemory));
  const worker = Worker.layer.pipe(
    Layer.provide(layerShapes),
    Layer.provide(
      Engine.layer().pipe(
        Layer.provide(QueueWakes.layerQueue(() => queue)),
        // The shapes wait for less than a queue's delay.
        Layer.provide(QueueSchedules.layerQueueDelay),
      ),
    ),
    Layer.provideMerge(stores),
  );
  return yield* Effect.gen(function* () {
    countRequests(yield* DocumentClient, counts);
    const found: Array<Counts> = [];
    for (const { workflow } of shapes) {
      Object.assign(counts, noCounts());
      yield* runShape(workflow, messages, counts);
      found.push({ ...counts });
    }
    return found;
  }).pipe(Effect.provide(worker));
}).pipe(Effect.scoped);
