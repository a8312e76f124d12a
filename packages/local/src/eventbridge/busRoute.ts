/**
 * How the bus delivers: to queues and topics, and what it writes on a dead letter.
 *
 * Source: EventBridge user guide, "Using dead-letter queues"
 */
import type { DeliveryRoute } from "../delivery/makeDelivery.ts";
import { isMissing, reasonOf } from "../delivery/makeDelivery.ts";
import type { Sns } from "../sns/Sns.ts";
import type { Sqs } from "../sqs/Sqs.ts";
import type { EventState } from "./EventState.ts";

/** The route of the bus's outbox. */
export const busRoute = (
  { outbox }: EventState,
  { sns, sqs }: { readonly sns: Sns["Service"]; readonly sqs: Sqs["Service"] },
): DeliveryRoute => ({
  outbox,
  sqs,
  send: ({ body, targetArn }) =>
    targetArn.startsWith("arn:aws:sns:")
      ? sns.publish(targetArn, { message: body })
      : sqs.send(targetArn, { body }),
  attributesOf: ({ attempts, sourceArn, targetArn }, { error, exhausted }) => {
    const permanentCode = isMissing(error) ? "NO_RESOURCE" : "SDK_CLIENT_ERROR";
    return {
      RULE_ARN: sourceArn,
      TARGET_ARN: targetArn,
      ERROR_CODE: exhausted === undefined ? permanentCode : "ERROR_FROM_TARGET",
      ERROR_MESSAGE: reasonOf(error),
      RETRY_ATTEMPTS: String(attempts),
      ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
    };
  },
});
