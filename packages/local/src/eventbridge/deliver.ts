/**
 * Delivering what the outbox holds: at once, again with growing pauses when the target is not ready, to the target's
 * dead-letter queue when it is given up.
 *
 * Source: EventBridge user guide, "How EventBridge retries delivering events", "Using dead-letter queues"
 */
import { Clock, Effect, Random, Result } from "effect";
import { Arrivals } from "../Arrivals.ts";
import { AwsError } from "../AwsError.ts";
import type { Sns } from "../sns/Sns.ts";
import type { MessageAttributes } from "../sqs/MessageAttributes.ts";
import type { Sqs } from "../sqs/Sqs.ts";
import type { EventState } from "./EventState.ts";
import type { Delivery } from "./Outbox.ts";

const atOnceMax = 100;
const firstPauseMs = 1_000;
const pauseMsMax = 600_000;
/** The limit of an SQS attribute is far away; this keeps a dead letter readable. */
const reasonCharactersMax = 500;

export interface Targets {
  readonly sqs: Sqs["Service"];
  readonly sns: Sns["Service"];
}

/** A worker over the outbox: `run` never ends, `wake` tells it that something was added. */
export const makeDelivery = (state: EventState, targets: Targets) => {
  const arrivals = new Arrivals();
  const outbox = "outbox";
  const run = Effect.gen(function* () {
    while (true) {
      const version = arrivals.version(outbox);
      const nowMs = yield* Clock.currentTimeMillis;
      const due = state.outbox.due(nowMs, atOnceMax);
      for (const delivery of due) yield* deliver(state, targets, delivery);
      if (due.length > 0) {
        yield* Effect.yieldNow;
        continue;
      }
      const nextMs = state.outbox.nextDueMs();
      const arrival = arrivals.wait(outbox, version);
      yield* nextMs === undefined
        ? arrival
        : Effect.timeoutOrElse(arrival, {
            duration: Math.max(0, nextMs - nowMs),
            orElse: () => Effect.void,
          });
    }
  });
  return { run, wake: Effect.sync(() => arrivals.notify(outbox)) };
};

const deliver = Effect.fnUntraced(function* (
  state: EventState,
  targets: Targets,
  delivery: Delivery,
) {
  const result = yield* send(targets, delivery).pipe(
    // Whatever breaks inside a target must not stop the deliveries to the others.
    Effect.catchDefect((defect) => Effect.fail(internalFailure(defect))),
    Effect.result,
  );
  if (Result.isSuccess(result)) return state.outbox.remove(delivery.sequence);
  const error = result.failure;
  if (!mayPass(error)) return yield* giveUp(state, targets, delivery, error, undefined);
  const nowMs = yield* Clock.currentTimeMillis;
  if (delivery.attempts >= delivery.attemptsMax) {
    return yield* giveUp(state, targets, delivery, error, "MaximumRetryAttempts");
  }
  const full = Math.min(firstPauseMs * 2 ** delivery.attempts, pauseMsMax);
  const pauseMs = Math.ceil(full * (0.5 + 0.5 * (yield* Random.next)));
  const dueMs = nowMs + pauseMs;
  if (dueMs >= delivery.takenMs + delivery.ageMsMax) {
    return yield* giveUp(state, targets, delivery, error, "MaximumEventAgeInSeconds");
  }
  state.outbox.postpone(delivery.sequence, dueMs);
});

const send = (
  { sqs, sns }: Targets,
  { targetArn, body }: Delivery,
): Effect.Effect<unknown, AwsError> =>
  targetArn.startsWith("arn:aws:sns:")
    ? sns.publish(targetArn, { message: body })
    : sqs.send(targetArn, { body });

const internalFailure = (defect: unknown): AwsError =>
  new AwsError({ code: "InternalFailure", message: String(defect), status: 500 });

/** Trouble on the target's side passes; what is wrong with the request or the target does not. */
const mayPass = ({ status }: AwsError): boolean =>
  (status >= 500 && status !== 501) || status === 429;

const isMissing = ({ code }: AwsError): boolean =>
  code === "QueueDoesNotExist" || code === "NotFound";

const text = (StringValue: string) => ({ DataType: "String", StringValue });

const giveUp = Effect.fnUntraced(function* (
  state: EventState,
  { sqs }: Targets,
  delivery: Delivery,
  error: AwsError,
  exhausted: "MaximumRetryAttempts" | "MaximumEventAgeInSeconds" | undefined,
) {
  const permanentCode = isMissing(error) ? "NO_RESOURCE" : "SDK_CLIENT_ERROR";
  const attributes: MessageAttributes = {
    RULE_ARN: text(delivery.ruleArn),
    TARGET_ARN: text(delivery.targetArn),
    ERROR_CODE: text(exhausted === undefined ? permanentCode : "ERROR_FROM_TARGET"),
    ERROR_MESSAGE: text(error.message.slice(0, reasonCharactersMax) || error.code),
    RETRY_ATTEMPTS: text(String(delivery.attempts)),
    ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: text(exhausted) }),
  };
  const { deadLetterArn, body, targetArn } = delivery;
  if (deadLetterArn !== undefined) {
    yield* sqs
      .send(deadLetterArn, { body, attributes })
      .pipe(
        Effect.catch(({ message }) =>
          Effect.logWarning(`an event for ${targetArn} is lost, its dead-letter queue: ${message}`),
        ),
      );
  } else {
    yield* Effect.logWarning(`an event for ${targetArn} is dropped: ${error.message}`);
  }
  state.outbox.remove(delivery.sequence);
});
