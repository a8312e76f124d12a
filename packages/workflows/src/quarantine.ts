/**
 * An invalid object is not lost: it is copied to the error bucket under its own key, beside a document that says why.
 *
 * The copy names the exact version, so that a later upload under the same key cannot be quarantined in its place. An
 * object that is gone or was overwritten has nothing to copy; the reason document is written all the same.
 */
import {
  describeFailure,
  failureClassOf,
  type ObjectRef,
  ObjectStore,
  type ObjectTarget,
  objectName,
} from "@millrace/core";
import { Effect, Schema } from "effect";
import { Buckets } from "./Buckets.ts";
import { outputMetadata } from "./outputMetadata.ts";

/** Where the quarantined object and its reason lie. */
export const Quarantined = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  reasonKey: Schema.String,
  copied: Schema.Boolean,
});
export type Quarantined = typeof Quarantined.Type;

/** Copies the object and writes `<key>.reason.json`. Running it again overwrites both with the same. */
export const quarantine = Effect.fnUntraced(function* (object: ObjectRef, error: unknown) {
  const store = yield* ObjectStore;
  const { errors } = yield* Buckets;
  const version = object.versionId ?? object.etag;
  const key = `${object.key}.${version}`;
  const reasonKey = `${key}.reason.json`;
  const metadata = yield* Effect.scoped(store.open(object, { bytesMax: 1 })).pipe(
    Effect.map((opened) => outputMetadata(opened.metadata)),
    Effect.catchTags({ ObjectGone: () => Effect.undefined, ObjectChanged: () => Effect.undefined }),
  );
  const copied = yield* metadata === undefined
    ? Effect.succeed(false)
    : copyTo({ bucket: errors, key, contentType: "application/octet-stream", metadata }, object);
  const { message, tag } = describeFailure(error);
  const reason = {
    object: objectName(object),
    error: tag,
    failureClass: failureClassOf(error),
    message,
    copied,
  };
  yield* store.put(
    {
      bucket: errors,
      key: reasonKey,
      contentType: "application/json",
      // How often the lost object had been processed nobody knows.
      metadata: metadata ?? outputMetadata({}),
    },
    `${JSON.stringify(reason, undefined, 2)}\n`,
  );
  return { bucket: errors, key, reasonKey, copied };
});

/** False when there is nothing to copy any more. */
const copyTo = (target: ObjectTarget, object: ObjectRef) =>
  ObjectStore.use((store) => store.copy(object, target)).pipe(
    Effect.as(true),
    Effect.catchTags({
      ObjectGone: () => Effect.succeed(false),
      ObjectChanged: () => Effect.succeed(false),
    }),
  );
