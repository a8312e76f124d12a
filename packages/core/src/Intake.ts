/**
 * Reads a message's text as what it is: an object event, a message of the engine to itself, or something that is
 * knowingly ignored. What it cannot read it refuses, so that the message ends in the dead-letter queue and not in
 * silence.
 */
import { Effect, Option, Schema } from "effect";
import { CompletedEnvelope, type LifecycleEvent } from "./Lifecycle.ts";
import {
  fromEnvelope,
  fromRecord,
  type ObjectAnnouncement,
  ObjectCreatedEnvelope,
  OtherEnvelope,
  S3Notification,
  S3TestEvent,
} from "./ObjectEvent.ts";
import { type TaskStopped, taskStoppedOf, TaskStateEnvelope } from "./task/TaskStopped.ts";
import { WorkerMessage } from "./WorkerMessage.ts";

/** The text is nothing that the product knows. It is not quoted: it may be anything. */
export class MessageUnreadable extends Schema.TaggedError<MessageUnreadable>()(
  "MessageUnreadable",
  {
    reason: Schema.String,
    characters: Schema.Int,
  },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the message is neither an S3 event nor one of ours (${this.reason}; ${this.characters} characters)`;
  }
}

export type Intake =
  | { readonly _tag: "Objects"; readonly announcements: ReadonlyArray<ObjectAnnouncement> }
  | { readonly _tag: "Message"; readonly message: WorkerMessage }
  | {
      readonly _tag: "Completed";
      readonly event: LifecycleEvent;
      readonly replayName: string | undefined;
    }
  | { readonly _tag: "Stopped"; readonly stopped: TaskStopped }
  | { readonly _tag: "Ignored"; readonly reason: string };

const Known = Schema.fromJsonString(
  Schema.Union([
    WorkerMessage,
    ObjectCreatedEnvelope,
    CompletedEnvelope,
    TaskStateEnvelope,
    S3Notification,
    S3TestEvent,
    OtherEnvelope,
  ]),
);
const decodeKnown = Schema.decodeUnknownEffect(Known);

/** Reads one message body. */
export const readMessage = Effect.fnUntraced(function* (body: string) {
  const unreadable = (reason: string) => new MessageUnreadable({ reason, characters: body.length });
  const known = yield* Effect.mapError(decodeKnown(body), () => unreadable("unknown form"));
  if ("millrace" in known) return message(known);
  if ("Records" in known) {
    const created = known.Records.filter((record) => record.eventName.startsWith("ObjectCreated:"));
    const announcements = Option.all(created.map(fromRecord));
    if (Option.isNone(announcements)) return yield* unreadable("a record's key or time");
    return created.length === 0 ? ignored("no object was created") : objects(announcements.value);
  }
  if ("Event" in known) return ignored("S3's test event");
  if (!("detail" in known)) {
    const isCreation = known.source === "aws.s3" && known["detail-type"] === "Object Created";
    // Nor is the end of an execution: ignored, what comes after it would never begin.
    if (known.source === "millrace" && known["detail-type"] === "ExecutionCompleted") {
      return yield* unreadable("the event of an execution's end");
    }
    // Nor is the end of a task: ignored, who waits for it would wait until its time limit.
    if (known.source === "aws.ecs") return yield* unreadable("the event of a task");
    // An object's event that lacks something is no other event: ignored, its object would be lost.
    if (isCreation) return yield* unreadable("an object event without key, ETag or bucket");
    return ignored(`an event of another kind: ${known["detail-type"]}`);
  }
  if (known.source === "millrace") {
    return {
      _tag: "Completed",
      event: known.detail,
      replayName: known["replay-name"],
    } satisfies Intake;
  }
  if (known.source === "aws.ecs") {
    const stopped = taskStoppedOf(known);
    return stopped
      ? ({ _tag: "Stopped", stopped } satisfies Intake)
      : ignored("a task that goes on, or is not ours");
  }
  const announcement = fromEnvelope(known);
  if (Option.isNone(announcement)) return yield* unreadable("the event's time");
  return objects([announcement.value]);
});

const message = (message: WorkerMessage): Intake => ({ _tag: "Message", message });
const ignored = (reason: string): Intake => ({ _tag: "Ignored", reason });
const objects = (announcements: ReadonlyArray<ObjectAnnouncement>): Intake => ({
  _tag: "Objects",
  announcements,
});
