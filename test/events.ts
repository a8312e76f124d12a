/** Object events as a test makes them, and the archive's replay. */
import {
  DescribeReplayCommand,
  type EventBridgeClient,
  StartReplayCommand,
} from "@aws-sdk/client-eventbridge";
import { localAccount, localArchive, localBuckets } from "@millrace/local";
import { Clock, Effect, Schedule } from "effect";

interface EventObject {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly sizeBytes: number;
}

/** The text of "Object Created" for a version, as EventBridge puts it into a queue. */
export const eventOf = ({ etag, key, sizeBytes, versionId }: EventObject): string =>
  JSON.stringify({
    version: "0",
    id: crypto.randomUUID(),
    "detail-type": "Object Created",
    source: "aws.s3",
    account: localAccount.accountId,
    time: new Date().toISOString(),
    region: localAccount.region,
    resources: [`arn:aws:s3:::${localBuckets.raw}`],
    detail: {
      version: "0",
      bucket: { name: localBuckets.raw },
      object: { key, size: sizeBytes, etag, "version-id": versionId, sequencer: "00" },
      "request-id": "test",
      requester: localAccount.accountId,
      "source-ip-address": "127.0.0.1",
      reason: "PutObject",
    },
  });

/** Replays all that the archive holds, and waits for the replay's end. */
export const startReplay = Effect.fnUntraced(function* (events: EventBridgeClient, name: string) {
  const now = yield* Clock.currentTimeMillis;
  const arn = `arn:aws:events:${localAccount.region}:${localAccount.accountId}`;
  yield* Effect.promise(() =>
    events.send(
      new StartReplayCommand({
        ReplayName: name,
        EventSourceArn: `${arn}:archive/${localArchive}`,
        EventStartTime: new Date(now - 3_600_000),
        EventEndTime: new Date(now + 1_000),
        Destination: { Arn: `${arn}:event-bus/default` },
      }),
    ),
  );
  const { State } = yield* Effect.promise(() =>
    events.send(new DescribeReplayCommand({ ReplayName: name })),
  ).pipe(
    Effect.repeat({
      until: ({ State }) => State === "COMPLETED" || State === "FAILED",
      schedule: Schedule.spaced("100 millis"),
    }),
  );
  return State;
});
