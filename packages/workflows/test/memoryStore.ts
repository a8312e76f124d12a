/** An object store in memory for the workflows' own tests: an object is visible whole, or not at all. */
import {
  ObjectGone,
  type ObjectRef,
  ObjectStore,
  type ObjectTarget,
  type ReadRange,
} from "@millrace/core";
import { Effect, Layer, Stream } from "effect";

/** What lies under a name. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

const sliceOf = (bytes: Uint8Array, { bytesMax, fromByte = 0 }: ReadRange = {}): Uint8Array =>
  bytes.subarray(fromByte, bytesMax === undefined ? bytes.length : fromByte + bytesMax);

/** The objects, by `bucket/key`, and the store over them. */
export const makeMemoryStore = () => {
  const objects = new Map<string, StoredObject>();
  const find = (ref: ObjectRef) => {
    const found = objects.get(`${ref.bucket}/${ref.key}`);
    return found === undefined
      ? Effect.fail(new ObjectGone({ bucket: ref.bucket, key: ref.key }))
      : Effect.succeed(found);
  };
  const set = ({ bucket, contentType, key }: ObjectTarget, bytes: Uint8Array) =>
    Effect.sync(() => {
      objects.set(`${bucket}/${key}`, { bytes, contentType });
      return { etag: `"${bytes.length}"` };
    });
  const store = Layer.succeed(ObjectStore, {
    open: (ref, options) =>
      Effect.map(find(ref), ({ bytes }) => ({
        metadata: {},
        body: Stream.make(sliceOf(bytes, options)),
      })),
    read: (ref, options) =>
      Stream.unwrap(Effect.map(find(ref), ({ bytes }) => Stream.make(sliceOf(bytes, options)))),
    newest: ({ bucket, key }) => {
      const at = { bucket, key, etag: "" };
      return Effect.map(find(at), ({ bytes }) => ({ ...at, etag: `"${bytes.length}"` }));
    },
    writer: (target) =>
      Effect.sync(() => {
        const written: Array<Uint8Array> = [];
        return {
          write: (bytes) => Effect.sync(() => void written.push(bytes)),
          complete: Effect.suspend(() => set(target, Buffer.concat(written))),
        };
      }),
    put: (target, body) => set(target, Buffer.from(body)),
    copy: (ref, target) =>
      Effect.flatMap(find(ref), ({ bytes }) => Effect.asVoid(set(target, bytes))),
    remove: ({ bucket, key }) => Effect.sync(() => void objects.delete(`${bucket}/${key}`)),
  });
  return { objects, store };
};
