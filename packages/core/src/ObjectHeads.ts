/**
 * The newest version that has been heard of, for each object key: for pipelines that want the newest state of an object
 * and not every state that it has had.
 *
 * S3's events come in no order, and an older version's may come last. A head is politeness, like a lease: it saves work
 * that nobody wants any more. Whether an execution exists, its journal says; one that exists is run on, whatever the
 * head has become meanwhile (see `judgeVersion`).
 *
 * Source: AWS S3 user guide, "Event message structure": sequencers order the events of one key; the shorter of two is
 *         right-padded with zeros, then they are compared as text.
 */
import { Context, Effect, Schema } from "effect";
import { askAgain } from "./askAgain.ts";
import { Journal } from "./Journal.ts";
import { type ObjectCreated, objectName } from "./ObjectEvent.ts";

/** The store did not answer: nothing is known about the order, and the message must come back. */
export class ObjectHeadsUnavailable extends Schema.TaggedError<ObjectHeadsUnavailable>()(
  "ObjectHeadsUnavailable",
  { object: Schema.String, operation: Schema.String, cause: Schema.Defect() },
) {
  readonly failureClass = "transient";
  override get message(): string {
    return `the table of object heads did not answer to ${this.operation} of ${this.object}: try again later`;
  }
}

/** The newest version of a key. */
export interface ObjectHead {
  /** In the order of `sequencerOrder`. */
  readonly order: string;
  /** For people, as `objectName` has it. */
  readonly name: string;
}

export class ObjectHeads extends Context.Service<
  ObjectHeads,
  {
    /** Makes the version the head of its key unless a newer one is; answers with the head as it is then. */
    readonly raise: (object: ObjectCreated) => Effect.Effect<ObjectHead, ObjectHeadsUnavailable>;
    /** Keeps, once, that the version was not run because another was there already. */
    readonly supersede: (
      object: ObjectCreated,
      by: ObjectHead,
    ) => Effect.Effect<void, ObjectHeadsUnavailable>;
  }
>()("@millrace/core/ObjectHeads") {}

/** A text that orders sequencers as S3 wants them compared: what padding adds is taken off instead. */
export const sequencerOrder = (sequencer: string): string =>
  sequencer.toUpperCase().replace(/0+$/, "");

/** The head by which the version is superseded, or nothing when it is to be run. */
export const judgeVersion = Effect.fnUntraced(function* (
  object: ObjectCreated,
  executionId: string,
) {
  // A listing knows no sequencer: nothing can be said about the order.
  if (object.sequencer === "") return undefined;
  const heads = yield* ObjectHeads;
  const head = yield* heads.raise(object);
  if (head.order <= sequencerOrder(object.sequencer)) return undefined;
  const journal = yield* Journal;
  const history = yield* askAgain(journal.load(executionId, 0));
  // It was begun when it was the newest: whoever brings it back now wants it ended.
  if (history.length > 0) return undefined;
  yield* heads.supersede(object, head);
  return head;
});

/** What is said about a version that was not run. */
export const supersededReason = (object: ObjectCreated, head: ObjectHead): string =>
  `${objectName(object)} came after ${head.name}, which is newer`;
