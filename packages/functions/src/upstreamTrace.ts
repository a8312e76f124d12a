/**
 * The trace that a message comes from: AWS's services hand it on as the attribute `AWSTraceHeader`, in X-Ray's notation.
 *
 * The span of a message links to it: an upload's own trace and the runs that it leads to are found from each other.
 *
 * Source: AWS X-Ray developer guide, "Tracing header"; SQS developer guide, "Message system attributes"
 */
import { linkSpan } from "@millrace/core";
import type { SqsRecord } from "./SqsEvent.ts";

const root = /(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)/;
const parent = /(?:^|;)\s*Parent=([0-9a-f]{16})(?:;|$)/;

/** The span's ids in the W3C's form; nothing for a header that names no span. */
export const readTraceHeader = (
  header: string,
): { readonly traceId: string; readonly spanId: string } | undefined => {
  const [, seconds, rest] = root.exec(header) ?? [];
  const [, spanId] = parent.exec(header) ?? [];
  return seconds === undefined || rest === undefined || spanId === undefined
    ? undefined
    : { traceId: seconds + rest, spanId };
};

/** Links the current span to where the message comes from, where something traces. */
export const linkUpstream = ({ attributes }: SqsRecord) =>
  linkSpan(readTraceHeader(attributes?.AWSTraceHeader ?? ""), "message");
