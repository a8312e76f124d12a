/**
 * Lambda's event from an SQS queue and the answer to it, as far as they are used here.
 *
 * Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS" and "Handling errors for an SQS event source"
 */
import type { Delivery } from "@millrace/core";
import { Schema } from "effect";

const SqsRecord = Schema.Struct({
  messageId: Schema.String,
  body: Schema.String,
  attributes: Schema.optionalKey(
    Schema.Struct({
      ApproximateReceiveCount: Schema.optionalKey(Schema.FiniteFromString),
      ApproximateFirstReceiveTimestamp: Schema.optionalKey(Schema.FiniteFromString),
      AWSTraceHeader: Schema.optionalKey(Schema.String),
    }),
  ),
});
export type SqsRecord = typeof SqsRecord.Type;

/** What the queue says about a record, when it says it. */
export const deliveryOf = ({ attributes }: SqsRecord): Delivery | undefined => {
  const { ApproximateFirstReceiveTimestamp: firstEpochMs, ApproximateReceiveCount: receiveCount } =
    attributes ?? {};
  return firstEpochMs === undefined || receiveCount === undefined
    ? undefined
    : { firstEpochMs, receiveCount };
};

export const SqsEvent = Schema.Struct({ Records: Schema.Array(SqsRecord) });

/** The messages named here come back; all others are deleted. */
export interface SqsBatchResponse {
  readonly batchItemFailures: ReadonlyArray<{ readonly itemIdentifier: string }>;
}

/** What Lambda hands to a handler beside the event. */
export interface LambdaContext {
  readonly awsRequestId: string;
  readonly getRemainingTimeInMillis: () => number;
  /** Aborted when the process is told to stop; Lambda has none, a task has. */
  readonly stopping?: AbortSignal;
}

export type SqsHandler = (event: unknown, context: LambdaContext) => Promise<SqsBatchResponse>;
