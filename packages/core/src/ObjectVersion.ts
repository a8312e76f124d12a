/**
 * One version of one object, as a listing of a bucket tells of it, and as its event would have told.
 */
import type { ObjectCreated } from "./ObjectEvent.ts";

export interface ObjectVersion {
  readonly key: string;
  /** Absent for what was written while the bucket was not versioned. */
  readonly versionId: string | undefined;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedEpochMs: number;
  readonly isLatest: boolean;
}

/** The object as its event would have announced it: the same identity. A listing knows no sequencer. */
export const toObjectCreated = (bucket: string, version: ObjectVersion): ObjectCreated => ({
  bucket,
  key: version.key,
  ...(version.versionId !== undefined && { versionId: version.versionId }),
  etag: version.etag,
  sizeBytes: version.sizeBytes,
  sequencer: "",
  eventEpochMs: version.modifiedEpochMs,
});
