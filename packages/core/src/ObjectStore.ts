/**
 * The object store seam: reads of an exact version, writes that are visible whole or not at all.
 */
import { Context, type Effect, Schema, type Scope, type Stream } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";
import type { ObjectRef } from "./ObjectEvent.ts";

/** The version that was announced is not there any more. */
export class ObjectGone extends Schema.TaggedError<ObjectGone>()("ObjectGone", {
  bucket: Schema.String,
  key: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `object ${this.bucket}/${this.key} is gone: it was deleted after its event; upload it again if it is still wanted`;
  }
}

/** Another version stands under the key: that one has an event, and an execution, of its own. */
export class ObjectChanged extends Schema.TaggedError<ObjectChanged>()("ObjectChanged", {
  bucket: Schema.String,
  key: Schema.String,
  etag: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `object ${this.bucket}/${this.key} was overwritten after its event (its ETag was ${this.etag}): the newer version is processed by its own execution`;
  }
}

/** The store may not be used like this by this function. */
export class ObjectDenied extends Schema.TaggedError<ObjectDenied>()("ObjectDenied", {
  bucket: Schema.String,
  key: Schema.String,
  operation: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.operation} of ${this.bucket}/${this.key} is denied: give the function's role access to that prefix`;
  }
}

/** The store did not answer, or asked for patience. */
export class ObjectStoreUnavailable extends Schema.TaggedError<ObjectStoreUnavailable>()(
  "ObjectStoreUnavailable",
  {
    bucket: Schema.String,
    key: Schema.String,
    operation: Schema.String,
    ...causeFields,
  },
) {
  override get message(): string {
    return `${this.operation} of ${this.bucket}/${this.key} did not succeed: ${adviceOn(this)}`;
  }
}

/** Why a read fails. */
export const ReadFailure = Schema.Union([
  ObjectGone,
  ObjectChanged,
  ObjectDenied,
  ObjectStoreUnavailable,
]);
export type ReadFailure = typeof ReadFailure.Type;

/** Why a write fails. */
export const WriteFailure = Schema.Union([ObjectDenied, ObjectStoreUnavailable]);
export type WriteFailure = typeof WriteFailure.Type;

export interface ObjectTarget {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An object being written, piece by piece. Left unfinished when its scope closes, nothing of it is ever visible. */
export interface ObjectWriter {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, WriteFailure>;
  /** Makes the object visible, whole. */
  readonly complete: Effect.Effect<{ readonly etag: string }, WriteFailure>;
}

/** Which of an object's bytes are read. */
export interface ReadRange {
  /** Only so many, from the first one read. @default all */
  readonly bytesMax?: number;
  /** The first byte that is read, from 0; it must be there. @default 0 */
  readonly fromByte?: number;
}

/** An object that is being read. */
export interface OpenedObject {
  /** What its writer put with it, by lower-case name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly body: Stream.Stream<Uint8Array, ReadFailure>;
}

export class ObjectStore extends Context.Service<
  ObjectStore,
  {
    /** Exactly that version with its metadata, in one request; what is not read of it is given up with the scope. */
    readonly open: (
      ref: ObjectRef,
      options?: ReadRange,
    ) => Effect.Effect<OpenedObject, ReadFailure, Scope.Scope>;
    /** The bytes of exactly that version, optionally only some of them. */
    readonly read: (ref: ObjectRef, options?: ReadRange) => Stream.Stream<Uint8Array, ReadFailure>;
    /** Which version lies under a key now: for what no event announces. Exactly that one is read then. */
    readonly newest: (
      at: Pick<ObjectRef, "bucket" | "key">,
    ) => Effect.Effect<ObjectRef, ReadFailure>;
    /** Begins an object of unknown length; memory stays bounded. */
    readonly writer: (
      target: ObjectTarget,
    ) => Effect.Effect<ObjectWriter, WriteFailure, Scope.Scope>;
    /** Writes a small object in one request. */
    readonly put: (
      target: ObjectTarget,
      body: Uint8Array | string,
    ) => Effect.Effect<{ readonly etag: string }, WriteFailure>;
    /** Copies exactly that version, without its bytes passing through here. */
    readonly copy: (ref: ObjectRef, target: ObjectTarget) => Effect.Effect<void, ReadFailure>;
    /** Takes an object away that this program has written; one that is not there is no failure. */
    readonly remove: (
      target: Pick<ObjectTarget, "bucket" | "key">,
    ) => Effect.Effect<void, WriteFailure>;
  }
>()("@millrace/core/ObjectStore") {}
