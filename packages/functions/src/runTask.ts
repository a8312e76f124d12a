/**
 * The worker as a task on Fargate.
 *
 * Launched by a workflow (see FargateTask), it runs the one execution that its environment names, and ends with it.
 * Started by a person, it takes messages from its pipeline's queue, one at a time, through the pipeline's own handler,
 * until the queue is empty.
 *
 * On SIGTERM (Spot's two minutes' notice) the run in progress yields: what there is, is stored, its lease is free, and a
 * wake asks for the next process; one execution is left to the next launch. The process then ends, having lost nothing. Killed without notice it loses no more than
 * a function does: its message comes back.
 */
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem";
import { FargateTask } from "@millrace/core";
import { Config, Effect, FileSystem, Option, Schedule, Schema, type Scope } from "effect";
import { variables } from "./Environment.ts";
import { logging } from "./runtime.ts";
import type { SqsHandler } from "./SqsEvent.ts";
import type { TaskWork } from "./taskWork.ts";

const pipelineName = Config.String("MILLRACE_PIPELINE");

/** The task was started for a pipeline that there is not. */
export class TaskNotConfigured extends Schema.TaggedError<TaskNotConfigured>()(
  "TaskNotConfigured",
  { pipeline: Schema.String, known: Schema.Array(Schema.String) },
) {
  override get message(): string {
    return `MILLRACE_PIPELINE is ${this.pipeline}; there are: ${this.known.join(", ")}`;
  }
}

/** What a container's image has the code of, by the pipelines' names. */
export interface TaskImage {
  readonly handlers: ReadonlyMap<string, SqsHandler>;
  /** Of the pipelines whose workflows launch tasks. */
  readonly works: ReadonlyMap<string, TaskWork>;
}

const notConfigured = (pipeline: string, known: ReadonlyMap<string, unknown>) =>
  new TaskNotConfigured({ pipeline, known: [...known.keys()] });

/** Longest work on one message, in seconds (requirement D2.5); its message is hidden as long. */
const messageSeconds = 3_600;

/** The queue counts as empty when nothing came for this long, in seconds: the longest that SQS waits. */
const idleSeconds = Config.Int("MILLRACE_TASK_IDLE_SECONDS").pipe(Config.withDefault(20));

/** Touched while the task lives; the image's health check looks at it. */
const aliveFile = "/tmp/millrace-alive";
const aliveSeconds = 10;

/** Aborted by SIGTERM. */
const stopping = new AbortController();
process.once("SIGTERM", () => {
  stopping.abort();
});

const isStopping = Effect.sync(() => stopping.signal.aborted);

const receive = (client: SQSClient, QueueUrl: string, WaitTimeSeconds: number) =>
  Effect.tryPromise(() =>
    client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds,
        VisibilityTimeout: messageSeconds,
        MessageSystemAttributeNames: ["All"],
      }),
      { abortSignal: stopping.signal },
    ),
  ).pipe(
    Effect.map(({ Messages = [] }) => Messages[0]),
    // Told to stop while it waited.
    Effect.catchIf(
      () => stopping.signal.aborted,
      () => Effect.undefined,
    ),
  );

/** One message through the handler; it is deleted when the handler is done with it. */
const work = Effect.fnUntraced(function* (
  client: SQSClient,
  QueueUrl: string,
  handler: SqsHandler,
  message: Message,
) {
  const { Attributes, Body = "", MessageId = "", ReceiptHandle } = message;
  yield* Effect.logInfo("message taken").pipe(Effect.annotateLogs({ messageId: MessageId }));
  const endsEpochMs = Date.now() + messageSeconds * 1_000;
  const { batchItemFailures } = yield* Effect.promise(() =>
    handler(
      { Records: [{ messageId: MessageId, body: Body, attributes: Attributes ?? {} }] },
      {
        awsRequestId: MessageId,
        getRemainingTimeInMillis: () => endsEpochMs - Date.now(),
        stopping: stopping.signal,
      },
    ),
  );
  if (batchItemFailures.length > 0) return;
  yield* Effect.tryPromise(() =>
    client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
  );
});

const drain = Effect.fnUntraced(function* ({ handlers }: TaskImage) {
  const pipeline = yield* pipelineName;
  const QueueUrl = yield* Config.String(variables.queueUrl);
  const waitSeconds = yield* idleSeconds;
  const handler = handlers.get(pipeline);
  if (!handler) return yield* notConfigured(pipeline, handlers);
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new SQSClient({})),
    (client) => Effect.sync(() => client.destroy()),
  );
  let count = 0;
  while (!(yield* isStopping)) {
    const message = yield* receive(client, QueueUrl, waitSeconds);
    if (!message) break;
    yield* work(client, QueueUrl, handler, message);
    count += 1;
  }
  const why = (yield* isStopping) ? "told to stop" : "the queue is empty";
  yield* Effect.logInfo("task ends").pipe(Effect.annotateLogs({ pipeline, messages: count, why }));
  return 0;
});

/** The execution that its environment names. */
const runOne = Effect.fnUntraced(function* (text: string, { works }: TaskImage) {
  const pipeline = yield* pipelineName;
  const work = works.get(pipeline);
  if (!work) return yield* notConfigured(pipeline, works);
  const exitCode = yield* work(text, stopping.signal);
  const why = (yield* isStopping) ? "told to stop" : "the execution has ended";
  yield* Effect.logInfo("task ends").pipe(Effect.annotateLogs({ pipeline, exitCode, why }));
  return exitCode;
});

const oneOrMany = (image: TaskImage) =>
  Effect.flatMap(
    Config.option(Config.String(FargateTask.taskExecutionVariable)),
    (text): Effect.Effect<number, unknown, FileSystem.FileSystem | Scope.Scope> =>
      Option.isSome(text) ? runOne(text.value, image) : drain(image),
  );

const stayAlive = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem;
  yield* Effect.repeat(
    Effect.ignore(files.writeFileString(aliveFile, "")),
    Schedule.spaced(aliveSeconds * 1_000),
  );
});

/** Does what the environment says, and ends the process. */
export const runTask = (image: TaskImage): void => {
  const main = Effect.raceFirst(
    Effect.scoped(oneOrMany(image)),
    Effect.andThen(stayAlive, Effect.never),
  ).pipe(
    Effect.tapCause((cause) => Effect.logError("task failed", cause)),
    Effect.provide([logging, NodeFileSystem.layer]),
  );
  Effect.runPromise(main).then(
    (exitCode) => process.exit(exitCode),
    () => process.exit(1),
  );
};
