/**
 * Reads a range of the archive. EventBridge gives out archived events in one way only, a replay to their bus; so the
 * replay is aimed at a rule of our own, made for this reading, whose target is a queue of our own. No pipeline's rule
 * sees it: nothing is started by reading, and what is read can be counted, chosen from and paced. See docs/adr/0006.
 */
import {
  CancelReplayCommand,
  DeleteRuleCommand,
  DescribeReplayCommand,
  type DescribeReplayCommandOutput,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  StartReplayCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  type AwsConnection,
  clientConfig,
  localAccount,
  localArchive,
  queueArn,
  queueUrl,
} from "@millrace/local";
import { Effect, Schema } from "effect";
import { drainQueue } from "./drainQueue.ts";

/** The archive could not be read to its end. */
export class ArchiveUnread extends Schema.TaggedError<ArchiveUnread>()("ArchiveUnread", {
  archive: Schema.String,
  reason: Schema.String,
}) {
  override get message(): string {
    return `the archive ${this.archive} was not read to the end (${this.reason}): nothing was changed, repeat the command`;
  }
}

/** Both ends belong to it; an event's time has whole seconds. */
export interface ArchiveRange {
  readonly fromEpochMs: number;
  readonly toEpochMs: number;
}

const eventsArn = (resource: string): string =>
  `arn:aws:events:${localAccount.region}:${localAccount.accountId}:${resource}`;

const call = <A>(run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new ArchiveUnread({ archive: localArchive, reason: String(cause) }),
  });

/** Hands every event of the range to `take`; `name` names the replay and everything that is made for it. */
export const readArchive = Effect.fnUntraced(function* <E, R>(
  connection: AwsConnection,
  name: string,
  range: ArchiveRange,
  take: (event: string) => Effect.Effect<void, E, R>,
) {
  const config = clientConfig(connection);
  const events = new EventBridgeClient(config);
  const sqs = new SQSClient(config);
  const url = queueUrl(connection.endpoint, name);
  const whileReading = (make: () => Promise<unknown>, remove: () => Promise<unknown>) =>
    Effect.acquireRelease(call(make), () => Effect.ignore(call(remove)));

  yield* whileReading(
    () => sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: queueAttributes(name) })),
    () => sqs.send(new DeleteQueueCommand({ QueueUrl: url })),
  );
  yield* whileReading(
    () =>
      events.send(
        new PutRuleCommand({ Name: name, EventPattern: JSON.stringify({ "replay-name": [name] }) }),
      ),
    () => events.send(new DeleteRuleCommand({ Name: name })),
  );
  yield* whileReading(
    () =>
      events.send(
        new PutTargetsCommand({ Rule: name, Targets: [{ Id: "queue", Arn: queueArn(name) }] }),
      ),
    () => events.send(new RemoveTargetsCommand({ Rule: name, Ids: ["queue"] })),
  );
  // A replay that has ended cannot be cancelled, which is ignored.
  yield* whileReading(
    () => events.send(startOf(name, range)),
    () => events.send(new CancelReplayCommand({ ReplayName: name })),
  );
  const replay = call(() => events.send(new DescribeReplayCommand({ ReplayName: name })));
  yield* drainQueue({ sqs, url, isComplete: Effect.flatMap(replay, isComplete), take });
}, Effect.scoped);

const startOf = (name: string, { fromEpochMs, toEpochMs }: ArchiveRange) =>
  new StartReplayCommand({
    ReplayName: name,
    EventSourceArn: eventsArn(`archive/${localArchive}`),
    EventStartTime: new Date(fromEpochMs),
    EventEndTime: new Date(toEpochMs),
    // Without it every rule of the bus would see the events.
    Destination: { Arn: eventsArn("event-bus/default"), FilterArns: [eventsArn(`rule/${name}`)] },
  });

/** Events stay an hour, should nobody be left to take them; only the rule may send any. */
const queueAttributes = (name: string) => ({
  MessageRetentionPeriod: "3600",
  VisibilityTimeout: "60",
  Policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn(name),
        Condition: { ArnEquals: { "aws:SourceArn": eventsArn(`rule/${name}`) } },
      },
    ],
  }),
});

const isComplete = ({ State, StateReason }: DescribeReplayCommandOutput) => {
  if (State === "FAILED" || State === "CANCELLED" || State === "CANCELLING") {
    const reason = `its replay is ${State.toLowerCase()}: ${StateReason ?? "no reason is given"}`;
    return Effect.fail(new ArchiveUnread({ archive: localArchive, reason }));
  }
  return Effect.succeed(State === "COMPLETED");
};
