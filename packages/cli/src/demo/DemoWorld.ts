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
import { ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
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
import { Clock, Effect, Schedule, Schema } from "effect";

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

export const makeDemoWorld = (connection: AwsConnection) => {
  const config = clientConfig(connection);
  const s3 = new S3Client(config);
  const sqs = new SQSClient(config);
  const events = new EventBridgeClient(config);
  const url = (queue: string) => queueUrl(connection.endpoint, queue);
  const call = <A>(name: string, run: () => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => new DemoCallFailed({ call: name, cause }) });

  return {
    /** A second rule beside the pipelines', so that the demo sees every event as it was delivered. */
    observe: call("observe the bus", async () => {
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
    }),

    /** The text of the object's event, as the pipeline's queue got it. */
    takeEvent: Effect.fnUntraced(function* (key: string) {
      while (true) {
        const { Messages } = yield* call("receive the observed event", () =>
          sqs.send(
            new ReceiveMessageCommand({
              QueueUrl: url(observerQueue),
              WaitTimeSeconds: 10,
              VisibilityTimeout: 1,
            }),
          ),
        );
        const message = Messages?.[0];
        const body = message?.Body ?? "";
        const observed = decodeObserved(body);
        if (observed._tag === "None" || observed.value.detail.object.key !== key) continue;
        yield* call("delete the observed event", () =>
          sqs.send(
            new DeleteMessageCommand({
              QueueUrl: url(observerQueue),
              ReceiptHandle: message?.ReceiptHandle,
            }),
          ),
        );
        return body;
      }
    }),

    /** Delivers an event once more, as an at-least-once queue may. */
    deliver: (pipeline: PipelineTopology, body: string) =>
      call("deliver the event again", () =>
        sqs.send(
          new SendMessageCommand({
            QueueUrl: url(localQueues(pipeline).queue),
            MessageBody: body,
          }),
        ),
      ),

    /** Every version of every object in a bucket. */
    versions: (bucket: string) =>
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
      }),

    /** The dead letters of a pipeline; they stay in their queue. */
    deadLetters: (pipeline: PipelineTopology) =>
      call("read the dead letters", async () => {
        const { Messages } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: url(localQueues(pipeline).deadLetters),
            MaxNumberOfMessages: 10,
            VisibilityTimeout: 0,
          }),
        );
        return (Messages ?? []).map(({ Body = "" }) => Body);
      }),

    /** Replays everything that the archive holds of the last hour, and waits for the replay's end. */
    replayHour: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis;
      const EventSourceArn = `arn:aws:events:${localAccount.region}:${localAccount.accountId}:archive/${localArchive}`;
      yield* call("start the replay", () =>
        events.send(
          new StartReplayCommand({
            ReplayName: replayName,
            EventSourceArn,
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
    }),
  };
};

export type DemoWorld = ReturnType<typeof makeDemoWorld>;
