/**
 * What every pipeline's workflow is started with: one version of one object.
 */
import { ObjectCreated, objectIdentity, PayloadIdentity } from "@millrace/core";
import { Context, Schema } from "effect";

const isPayload = Schema.is(Schema.Struct({ object: ObjectCreated }));

/** Fields of the payload. */
export const objectPayload = { object: ObjectCreated };

/** One execution per uploaded version. */
export const objectKey = (payload: { readonly object: ObjectCreated }): string =>
  objectIdentity(payload.object);

/**
 * Two announcements mean the same upload when bucket, key, version, ETag and size agree; their times may differ
 * (a notification's and a listing's).
 */
export const sameObject = Context.make(PayloadIdentity, (payload) => {
  if (!isPayload(payload)) return payload;
  const { bucket, etag, key, sizeBytes, versionId } = payload.object;
  return { bucket, etag, key, sizeBytes, ...(versionId !== undefined && { versionId }) };
});
