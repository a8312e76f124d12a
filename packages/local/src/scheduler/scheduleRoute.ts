/**
 * How the scheduler delivers: to queues and hosted functions, and what it writes on a dead letter.
 *
 * Source: EventBridge Scheduler user guide, "Configuring a dead-letter queue for EventBridge Scheduler"
 */
import { type DeliveryRoute, reasonOf } from "../delivery/makeDelivery.ts";
import { functionName, type LocalFunctions } from "../LocalFunctions.ts";
import type { Sqs } from "../sqs/Sqs.ts";
import type { SchedulerState } from "./SchedulerState.ts";
import { attemptInput, firingAttributes } from "./TargetInput.ts";

/** The route of the scheduler's outbox. */
export const scheduleRoute = (
  { outbox }: SchedulerState,
  targets: { readonly sqs: Sqs["Service"]; readonly functions: LocalFunctions["Service"] },
): DeliveryRoute => ({
  outbox,
  sqs: targets.sqs,
  send: (delivery) => {
    const name = functionName(delivery.targetArn);
    const body = attemptInput(delivery);
    return name === undefined
      ? targets.sqs.send(delivery.targetArn, { body })
      : targets.functions.invoke(name, body);
  },
  attributesOf: (delivery, { error, exhausted }) => ({
    ...firingAttributes(delivery),
    TARGET_ARN: delivery.targetArn,
    ERROR_CODE: error.code,
    ERROR_MESSAGE: reasonOf(error),
    RETRY_ATTEMPTS: String(delivery.attempts),
    IS_PAYLOAD_TRUNCATED: "false",
    ...(exhausted && { EXHAUSTED_RETRY_CONDITION: exhausted }),
  }),
});
