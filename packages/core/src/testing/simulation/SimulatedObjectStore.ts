/**
 * A versioned object store: reads of exact versions, writes that are visible whole or not at all.
 */
import { Effect, Exit, Layer, Stream } from "effect";
import { createHash } from "node:crypto";
import type { ObjectRef } from "../../ObjectEvent.ts";
import {
  ObjectChanged,
  ObjectGone,
  ObjectStore,
  ObjectStoreUnavailable,
  type ObjectTarget,
  type ReadRange,
} from "../../ObjectStore.ts";
import { type Caller, request } from "./request.ts";

export interface StoredVersion {
  readonly versionId: string;
  readonly etag: string;
  readonly body: string;
  readonly writer: string;
  deleted: boolean;
}

const textOf = (body: Uint8Array | string): string =>
  typeof body === "string" ? body : Buffer.from(body).toString("latin1");

const unavailable = (target: { bucket: string; key: string }, operation: string) => {
  const { bucket, key } = target;
  return (reason: string) => new ObjectStoreUnavailable({ bucket, key, operation, cause: reason });
};

const bytesOf = ({ body }: StoredVersion, { bytesMax, fromByte = 0 }: ReadRange = {}) => {
  const end = bytesMax === undefined ? undefined : fromByte + bytesMax;
  return Stream.make(new Uint8Array(Buffer.from(body.slice(fromByte, end), "latin1")));
};

/**
 * The same bytes have the same ETag, whoever wrote them, as in buckets that S3 encrypts with its own keys.
 * Source: Amazon S3 API reference, "Object", ETag
 */
const etagOf = (body: string): string => createHash("md5").update(body, "latin1").digest("hex");

export class SimulatedObjectStore {
  /** All versions ever written, by `bucket/key`, oldest first. */
  readonly versions = new Map<string, Array<StoredVersion>>();
  #written = 0;

  /** Writes a version, as an upload or a completed write does. Bytes are kept as latin1 text. */
  write(bucket: string, key: string, body: string, writer: string): StoredVersion {
    const name = `${bucket}/${key}`;
    const number = ++this.#written;
    const etag = etagOf(body);
    const version = { versionId: `v${number}`, etag, body, writer, deleted: false };
    this.versions.set(name, [...(this.versions.get(name) ?? []), version]);
    return version;
  }

  /** The object store as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<ObjectStore> {
    const put = (target: ObjectTarget, body: () => string) =>
      request(caller, {
        name: `put ${target.bucket}/${target.key}`,
        apply: () => {
          const { bucket, key } = target;
          return Exit.succeed({ etag: this.write(bucket, key, body(), caller.process.name).etag });
        },
        unavailable: unavailable(target, "put"),
        refusal: "slow-down",
      });
    const read = (ref: ObjectRef) =>
      request(caller, {
        name: `read ${ref.bucket}/${ref.key}`,
        apply: () => this.#find(ref),
        unavailable: unavailable(ref, "read"),
        refusal: "slow-down",
      });
    return Layer.succeed(ObjectStore, {
      // Metadata is not simulated: no depth, as of an upload.
      open: (ref, options) =>
        Effect.map(read(ref), (version) => ({
          metadata: {},
          body: bytesOf(version, options),
        })),
      read: (ref, options) =>
        Stream.unwrap(Effect.map(read(ref), (version) => bytesOf(version, options))),
      newest: (at) =>
        request(caller, {
          name: `look at ${at.bucket}/${at.key}`,
          apply: () => this.#newest(at),
          unavailable: unavailable(at, "look at"),
          refusal: "slow-down",
        }),
      put: (target, body) => put(target, () => textOf(body)),
      copy: (ref, target) =>
        Effect.flatMap(read(ref), ({ body }) => Effect.asVoid(put(target, () => body))),
      remove: (target) =>
        request(caller, {
          name: `remove ${target.bucket}/${target.key}`,
          apply: () => {
            const latest = this.versions.get(`${target.bucket}/${target.key}`)?.at(-1);
            if (latest) latest.deleted = true;
            return Exit.void;
          },
          unavailable: unavailable(target, "remove"),
          refusal: "slow-down",
        }),
      writer: (target) =>
        Effect.sync(() => {
          const pieces: Array<string> = [];
          return {
            write: (bytes: Uint8Array) => Effect.sync(() => void pieces.push(textOf(bytes))),
            complete: put(target, () => pieces.join("")),
          };
        }),
    });
  }

  #newest({
    bucket,
    key,
  }: Pick<ObjectRef, "bucket" | "key">): Exit.Exit<ObjectRef, ObjectGone | ObjectStoreUnavailable> {
    const latest = this.versions.get(`${bucket}/${key}`)?.at(-1);
    if (!latest || latest.deleted) return Exit.fail(new ObjectGone({ bucket, key }));
    return Exit.succeed({ bucket, key, etag: latest.etag, versionId: latest.versionId });
  }

  #find(
    ref: ObjectRef,
  ): Exit.Exit<StoredVersion, ObjectGone | ObjectChanged | ObjectStoreUnavailable> {
    const { bucket, etag, key, versionId } = ref;
    const versions = this.versions.get(`${bucket}/${key}`) ?? [];
    if (versionId !== undefined) {
      const exact = versions.find((version) => version.versionId === versionId);
      return exact && !exact.deleted
        ? Exit.succeed(exact)
        : Exit.fail(new ObjectGone({ bucket, key }));
    }
    const latest = versions.at(-1);
    if (!latest || latest.deleted) return Exit.fail(new ObjectGone({ bucket, key }));
    return latest.etag === etag
      ? Exit.succeed(latest)
      : Exit.fail(new ObjectChanged({ bucket, key, etag }));
  }
}
