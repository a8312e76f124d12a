/**
 * S3's errors as the object store's: what is about the object is named here, the rest has its class from `transferFailure`.
 */
import type { ObjectRef } from "../ObjectEvent.ts";
import {
  ObjectChanged,
  ObjectDenied,
  ObjectGone,
  ObjectStoreUnavailable,
  type ReadFailure,
  type WriteFailure,
} from "../ObjectStore.ts";
import { statusOf, transferFailure } from "./awsFailure.ts";

/** Why a read of that version failed. */
export const readFailure = (operation: string, ref: ObjectRef, error: unknown): ReadFailure => {
  const { bucket, etag, key } = ref;
  const status = statusOf(error);
  // 405 is the answer for a version that is a delete marker.
  if (status === 404 || status === 405) return new ObjectGone({ bucket, key });
  if (status === 412) return new ObjectChanged({ bucket, key, etag });
  return writeFailure(operation, ref, error);
};

/** Why a write failed. */
export const writeFailure = (
  operation: string,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  error: unknown,
): WriteFailure =>
  statusOf(error) === 403
    ? new ObjectDenied({ bucket, key, operation })
    : new ObjectStoreUnavailable({ bucket, key, operation, ...transferFailure(error) });
