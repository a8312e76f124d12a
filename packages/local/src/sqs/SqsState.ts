/**
 * Everything that SQS knows, in one place: queues, messages and who waits for them.
 */
import { Effect } from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { AwsError } from "../AwsError.ts";
import { Arrivals } from "../Arrivals.ts";
import { MessageStore, type Redrive } from "./MessageStore.ts";
import { arnName, queueArn, referredName } from "./QueueName.ts";
import { allowsRedriveFrom, redriveOf, settingMs, type QueueSettings } from "./QueueSettings.ts";
import { QueueStore, type Queue } from "./QueueStore.ts";
import { invalidValue, queueDoesNotExist } from "./SqsErrors.ts";

export class SqsState {
  readonly database: DatabaseSync;
  readonly queues: QueueStore;
  readonly messages: MessageStore;
  readonly arrivals = new Arrivals();

  constructor(database: DatabaseSync) {
    this.database = database;
    this.queues = new QueueStore(database);
    this.messages = new MessageStore(database);
  }

  find(reference: string): Queue | undefined {
    const name = referredName(reference);
    return name === undefined ? undefined : this.queues.get(name);
  }

  need(reference: string): Effect.Effect<Queue, AwsError> {
    return Effect.suspend(() => {
      const queue = this.find(reference);
      return queue === undefined ? Effect.fail(queueDoesNotExist()) : Effect.succeed(queue);
    });
  }

  /** Forgets the messages of a queue whose retention has passed. */
  expire(queue: Queue, nowMs: number): void {
    this.messages.expire(queue.name, nowMs - settingMs(queue.settings, "MessageRetentionPeriod"));
  }

  /** Where messages of a queue go that were received too often; nowhere while that queue does not exist. */
  redriveOf(queue: Queue): Redrive | undefined {
    const policy = redriveOf(queue.settings);
    const target = this.queues.get(arnName(policy?.deadLetterTargetArn ?? "") ?? "");
    const sourceArn = queueArn(queue.name);
    if (policy === undefined || target === undefined) return undefined;
    if (!allowsRedriveFrom(target.settings, sourceArn)) return undefined;
    return { queue: target.name, sourceArn, maxReceiveCount: policy.maxReceiveCount };
  }

  /** Fails when a redrive policy names a queue that does not exist or does not allow it. */
  checkRedrive(queue: string, settings: QueueSettings): Effect.Effect<void, AwsError> {
    const policy = redriveOf(settings);
    if (policy === undefined) return Effect.void;
    const target = this.queues.get(arnName(policy.deadLetterTargetArn) ?? "");
    const allowed = target !== undefined && allowsRedriveFrom(target.settings, queueArn(queue));
    if (allowed) return Effect.void;
    const reason =
      target === undefined
        ? "Dead letter target does not exist."
        : "The dead letter target does not allow this source queue.";
    return Effect.fail(invalidValue("RedrivePolicy", settings["RedrivePolicy"] ?? "", reason));
  }

  /** The queues whose dead letters go to this one. */
  sourcesOf(queue: Queue): ReadonlyArray<Queue> {
    const arn = queueArn(queue.name);
    return this.queues
      .all()
      .filter(({ settings }) => redriveOf(settings)?.deadLetterTargetArn === arn);
  }
}
