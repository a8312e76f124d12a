/**
 * The heads of object keys, as a table keeps them: a head only rises, and what was superseded is kept once.
 */
import { Exit, Layer } from "effect";
import { objectIdentity, objectName, type ObjectCreated } from "../../ObjectEvent.ts";
import {
  type ObjectHead,
  ObjectHeads,
  ObjectHeadsUnavailable,
  sequencerOrder,
} from "../../ObjectHeads.ts";
import { type Caller, request } from "./request.ts";

export class SimulatedHeads {
  /** What was not run because something newer was there, by identity: the name of the newer one. */
  readonly superseded = new Map<string, string>();
  readonly #heads = new Map<string, ObjectHead>();

  /** The table as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<ObjectHeads> {
    const ask = <A>(object: ObjectCreated, operation: string, apply: () => A) =>
      request(caller, {
        name: `${operation} head of ${object.key}`,
        apply: () => Exit.succeed(apply()),
        unavailable: (reason) =>
          new ObjectHeadsUnavailable({ object: objectName(object), operation, cause: reason }),
      });
    return Layer.succeed(ObjectHeads, {
      raise: (object) => ask(object, "raise", () => this.#raise(object)),
      supersede: (object, by) =>
        ask(object, "supersede", () => {
          this.superseded.set(objectIdentity(object), by.name);
        }),
    });
  }

  #raise(object: ObjectCreated): ObjectHead {
    const name = `${object.bucket}/${object.key}`;
    const mine = { order: sequencerOrder(object.sequencer), name: objectName(object) };
    const head = this.#heads.get(name);
    if (head && head.order >= mine.order) return head;
    this.#heads.set(name, mine);
    return mine;
  }
}
