/**
 * The part of a payload that must be equal when the same idempotency key comes again; an annotation on the workflow.
 *
 * By default all of it. A workflow that is started by events leaves out what differs between two announcements of the
 * same thing (the time of a notification and of a listing), so that they join instead of contradicting each other.
 */
import { Context } from "effect";

/** Takes and gives JSON. */
export const PayloadIdentity = Context.Reference<(payload: unknown) => unknown>(
  "@millrace/core/PayloadIdentity",
  { defaultValue: () => (payload) => payload },
);
