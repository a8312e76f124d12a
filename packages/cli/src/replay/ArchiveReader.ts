/**
 * Reads a range of the archive. EventBridge gives out archived events in one way only, a replay to their bus; so the
 * replay is aimed at a rule of our own, made for this reading, whose target is a queue of our own. No pipeline's rule
 * sees it: nothing is started by reading, and what is read can be counted, chosen from and paced. See docs/adr/0009.
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
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { Effect, Schema } from "effect";
import type { Stage } from "../Stage.ts";
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

/** Hands every event of the range to `take`; `name` names the replay and everything that is made for it. */
export const readArchive = Effect.fnUntraced(function* <E, R>(
  stage: Stage,
  name: string,
  range: ArchiveRange,
  take: (event: string) => Effect.Effect<void, E, R>,
) {
  const events = new EventBridgeClient(stage.clients);
  const sqs = new SQSClient(stage.clients);
  const call = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({
      try: run,
      catch: (cause) =>
        new ArchiveUnread({ archive: stage.objectsArchiveArn, reason: String(cause) }),
    });
  const whileReading = <A>(make: () => Promise<A>, remove: (made: A) => Promise<unknown>) =>
    Effect.acquireRelease(call(make), (made) => Effect.ignore(call(() => remove(made))));

  const { QueueUrl: url = "" } = yield* whileReading(
    () => sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: lifetimes })),
    ({ QueueUrl }) => sqs.send(new DeleteQueueCommand({ QueueUrl })),
  );
  const { Attributes } = yield* call(() =>
    sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] })),
  );
  const queueArn = Attributes?.QueueArn ?? "";
  const { RuleArn: ruleArn = "" } = yield* whileReading(
    () =>
      events.send(
        new PutRuleCommand({ Name: name, EventPattern: JSON.stringify({ "replay-name": [name] }) }),
      ),
    () => events.send(new DeleteRuleCommand({ Name: name })),
  );
  yield* call(() =>
    sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: url,
        Attributes: { Policy: policyOf(queueArn, ruleArn) },
      }),
    ),
  );
  yield* whileReading(
    () =>
      events.send(new PutTargetsCommand({ Rule: name, Targets: [{ Id: "queue", Arn: queueArn }] })),
    () => events.send(new RemoveTargetsCommand({ Rule: name, Ids: ["queue"] })),
  );
  // A replay that has ended cannot be cancelled, which is ignored.
  yield* whileReading(
    () => events.send(startOf(stage, name, range, ruleArn)),
    () => events.send(new CancelReplayCommand({ ReplayName: name })),
  );
  const replay = call(() => events.send(new DescribeReplayCommand({ ReplayName: name })));
  const isComplete = Effect.flatMap(replay, isCompleteIn(stage.objectsArchiveArn));
  yield* drainQueue({ sqs, url, isComplete, take });
}, Effect.scoped);

const startOf = (
  { eventBusArn, objectsArchiveArn }: Stage,
  name: string,
  { fromEpochMs, toEpochMs }: ArchiveRange,
  ruleArn: string,
) =>
  new StartReplayCommand({
    ReplayName: name,
    EventSourceArn: objectsArchiveArn,
    EventStartTime: new Date(fromEpochMs),
    EventEndTime: new Date(toEpochMs),
    // Without it every rule of the bus would see the events.
    Destination: { Arn: eventBusArn, FilterArns: [ruleArn] },
  });

/** Events stay an hour, should nobody be left to take them. */
const lifetimes = { MessageRetentionPeriod: "3600", VisibilityTimeout: "60" };

/** Only the rule may send any. */
const policyOf = (queueArn: string, ruleArn: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnEquals: { "aws:SourceArn": ruleArn } },
      },
    ],
  });

const isCompleteIn =
  (archive: string) =>
  ({ State, StateReason }: DescribeReplayCommandOutput) => {
    if (State === "FAILED" || State === "CANCELLED" || State === "CANCELLING") {
      const reason = `its replay is ${State.toLowerCase()}: ${StateReason ?? "no reason is given"}`;
      return Effect.fail(new ArchiveUnread({ archive, reason }));
    }
    return Effect.succeed(State === "COMPLETED");
  };
