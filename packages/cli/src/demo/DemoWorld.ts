/**
 * What the demo does to the running local mode, and what it sees of it: uploads, duplicate deliveries, a kill, the
 * archive replay; handled messages as the functions report them in their logs.
 */
import {
  DescribeReplayCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  StartReplayCommand,
} from "@aws-sdk/client-eventbridge";
import { GetObjectCommand, ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import {
  type AwsConnection,
  clientConfig,
  localAccount,
  localArchive,
  localBuckets,
  localQueues,
  queueArn,
  queueUrl,
} from "@millrace/local";
import type { PipelineTopology } from "@millrace/workflows/topology";
import { Clock, Effect, FileSystem, Option, Path, Schedule, Schema } from "effect";

/** A call of the demo to the embedded AWS failed. */
export class DemoCallFailed extends Schema.TaggedError<DemoCallFailed>()("DemoCallFailed", {
  call: Schema.String,
  cause: Schema.Defect(),
}) {
  override get message(): string {
    return `the demo's call to ${this.call} failed: ${String(this.cause)}`;
  }
}

const observerQueue = "millrace-demo-observer";
const replayName = "millrace-demo-replay";
const busArn = `arn:aws:events:${localAccount.region}:${localAccount.accountId}:event-bus/default`;
const archiveArn = `arn:aws:events:${localAccount.region}:${localAccount.accountId}:archive/${localArchive}`;

const ObservedEvent = Schema.fromJsonString(
  Schema.Struct({
    detail: Schema.Struct({ object: Schema.Struct({ key: Schema.String }) }),
  }),
);
const decodeObserved = Schema.decodeUnknownOption(ObservedEvent);

/** An object as it lies in a bucket: equal snapshots mean that nothing was written. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
}

/** The clients of the demo. */
export interface DemoWorld {
  readonly endpoint: string;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly events: EventBridgeClient;
}

export const makeDemoWorld = (connection: AwsConnection): DemoWorld => {
  const config = clientConfig(connection);
  return {
    endpoint: connection.endpoint,
    s3: new S3Client(config),
    sqs: new SQSClient(config),
    events: new EventBridgeClient(config),
  };
};

const call = <A>(name: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new DemoCallFailed({ call: name, cause }) });

/** Adds a rule beside the pipelines', so that the demo sees every event as it was delivered. */
export const observeBus = ({ events, sqs }: DemoWorld) =>
  call("observe the bus", async () => {
    await sqs.send(new CreateQueueCommand({ QueueName: observerQueue }));
    await events.send(
      new PutRuleCommand({
        Name: observerQueue,
        EventPattern: JSON.stringify({
          source: ["aws.s3"],
          "detail-type": ["Object Created"],
          "replay-name": [{ exists: false }],
          detail: { bucket: { name: [localBuckets.raw] } },
        }),
      }),
    );
    await events.send(
      new PutTargetsCommand({
        Rule: observerQueue,
        Targets: [{ Id: "observer", Arn: queueArn(observerQueue) }],
      }),
    );
  });

/** The text of the object's event, as the pipeline's queue got it. */
export const takeEvent = Effect.fnUntraced(function* ({ endpoint, sqs }: DemoWorld, key: string) {
  const QueueUrl = queueUrl(endpoint, observerQueue);
  while (true) {
    const { Messages } = yield* call("receive the observed event", () =>
      sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, VisibilityTimeout: 1 })),
    );
    const { Body = "", ReceiptHandle } = Messages?.[0] ?? {};
    const isAsked = Option.exists(decodeObserved(Body), ({ detail }) => detail.object.key === key);
    if (!isAsked) continue;
    yield* call("delete the observed event", () =>
      sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
    );
    return Body;
  }
});

/** Delivers an event once more, as an at-least-once queue may. */
export const deliverAgain = (
  { endpoint, sqs }: DemoWorld,
  pipeline: PipelineTopology,
  MessageBody: string,
) =>
  call("deliver the event again", () =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl(endpoint, localQueues(pipeline).queue),
        MessageBody,
      }),
    ),
  );

/** Every version of every object in a bucket. */
export const listVersions = ({ s3 }: DemoWorld, bucket: string) =>
  call("list object versions", async () => {
    const found: Array<ObjectVersion> = [];
    let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, ...marker }));
      for (const { ETag = "", Key = "", VersionId = "" } of page.Versions ?? []) {
        found.push({ key: Key, versionId: VersionId, etag: ETag });
      }
      if (!page.IsTruncated) return found;
      marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  });

/** Puts the newest version of an object into a file. */
export const downloadObject = Effect.fnUntraced(function* (
  { s3 }: DemoWorld,
  bucket: string,
  key: string,
  file: string,
) {
  const fs = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  const bytes = yield* call("download an output", async () => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  });
  yield* fs.makeDirectory(path.dirname(file), { recursive: true });
  yield* fs.writeFile(file, bytes);
});

/** While they are read, dead letters are hidden for this long, in seconds, so that each is seen once. */
const readingSeconds = 5;

/** The dead letters of a pipeline; they stay in their queue. */
export const readDeadLetters = ({ endpoint, sqs }: DemoWorld, pipeline: PipelineTopology) =>
  call("read the dead letters", async () => {
    const bodies: Array<string> = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl(endpoint, localQueues(pipeline).deadLetters),
          MaxNumberOfMessages: 10,
          VisibilityTimeout: readingSeconds,
        }),
      );
      if (Messages.length === 0) return bodies;
      bodies.push(...Messages.map(({ Body = "" }) => Body));
    }
  });

/** Replays everything that the archive holds of the last hour, and waits for the replay's end. */
export const replayHour = Effect.fnUntraced(function* ({ events }: DemoWorld) {
  const now = yield* Clock.currentTimeMillis;
  yield* call("start the replay", () =>
    events.send(
      new StartReplayCommand({
        ReplayName: replayName,
        EventSourceArn: archiveArn,
        EventStartTime: new Date(now - 3_600_000),
        EventEndTime: new Date(now + 1_000),
        Destination: { Arn: busArn },
      }),
    ),
  );
  yield* call("watch the replay", () =>
    events.send(new DescribeReplayCommand({ ReplayName: replayName })),
  ).pipe(
    Effect.repeat({
      until: ({ State }) => State === "COMPLETED" || State === "FAILED",
      schedule: Schedule.spaced("100 millis"),
    }),
  );
});
