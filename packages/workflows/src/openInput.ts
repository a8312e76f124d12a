/**
 * Opens the object that a pipeline was started with, unless it comes out of a loop.
 */
import { type ObjectRef, ObjectStore, objectName, type ReadRange } from "@millrace/core";
import { Effect } from "effect";
import { depthMax, depthOf, LoopStopped, outputMetadata } from "./outputMetadata.ts";

/** The bytes of exactly that version, and the metadata that outputs made from them carry. */
export const openInput = Effect.fnUntraced(function* (ref: ObjectRef, options?: ReadRange) {
  const store = yield* ObjectStore;
  const { body, metadata } = yield* store.open(ref, options);
  const depth = depthOf(metadata);
  if (depth >= depthMax) return yield* new LoopStopped({ object: objectName(ref), depth });
  return { body, metadata: outputMetadata(metadata) };
});
