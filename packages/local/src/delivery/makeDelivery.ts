/**
 * Delivering what an outbox holds: at once, again with growing pauses when the target is not ready, to the target's
 * dead-letter queue when it is given up. The bus and the scheduler do it alike and differ in what they write on a
 * dead letter.
 *
 * Source: EventBridge user guide, "How EventBridge retries delivering events", "Using dead-letter queues"
 */
import { Clock, Effect, Random, Result } from "effect";
import { Arrivals } from "../Arrivals.ts";
import { AwsError } from "../AwsError.ts";
import type { MessageAttributes } from "../sqs/MessageAttributes.ts";
import type { Sqs } from "../sqs/Sqs.ts";
import type { Delivery, Outbox } from "./Outbox.ts";

const atOnceMax = 100;
const firstPauseMs = 1_000;
const pauseMsMax = 600_000;

/** Why a delivery was given up. */
export interface GivenUp {
  readonly error: AwsError;
  /** Which limit of the retry policy was reached; none when trying again could not help. */
  readonly exhausted: "MaximumRetryAttempts" | "MaximumEventAgeInSeconds" | undefined;
}

/** What a service promises with its outbox. */
export interface DeliveryRoute {
  readonly outbox: Outbox;
  readonly send: (delivery: Delivery) => Effect.Effect<unknown, AwsError>;
  /** What is written on a dead letter. */
  readonly attributesOf: (delivery: Delivery, givenUp: GivenUp) => Readonly<Record<string, string>>;
  /** Where dead letters go. */
  readonly sqs: Sqs["Service"];
}

/** A worker over the outbox: `run` never ends, `wake` tells it that something was added. */
export const makeDelivery = (route: DeliveryRoute) => {
  const arrivals = new Arrivals();
  const added = "added";
  const run = Effect.gen(function* () {
    while (true) {
      const version = arrivals.version(added);
      const nowMs = yield* Clock.currentTimeMillis;
      const due = route.outbox.due(nowMs, atOnceMax);
      for (const delivery of due) yield* deliver(route, delivery);
      if (due.length > 0) {
        yield* Effect.yieldNow;
        continue;
      }
      const nextMs = route.outbox.nextDueMs();
      const arrival = arrivals.wait(added, version);
      yield* nextMs === undefined
        ? arrival
        : Effect.timeoutOrElse(arrival, {
            duration: Math.max(0, nextMs - nowMs),
            orElse: () => Effect.void,
          });
    }
  });
  return { run, wake: Effect.sync(() => arrivals.notify(added)) };
};

const deliver = Effect.fnUntraced(function* (route: DeliveryRoute, delivery: Delivery) {
  const result = yield* route.send(delivery).pipe(
    // Whatever breaks inside a target must not stop the deliveries to the others.
    Effect.catchDefect((defect) => Effect.fail(internalFailure(defect))),
    Effect.result,
  );
  if (Result.isSuccess(result)) return route.outbox.remove(delivery.sequence);
  const error = result.failure;
  if (!mayPass(error)) return yield* giveUp(route, delivery, { error, exhausted: undefined });
  const nowMs = yield* Clock.currentTimeMillis;
  if (delivery.attempts >= delivery.attemptsMax) {
    return yield* giveUp(route, delivery, { error, exhausted: "MaximumRetryAttempts" });
  }
  const full = Math.min(firstPauseMs * 2 ** delivery.attempts, pauseMsMax);
  const pauseMs = Math.ceil(full * (0.5 + 0.5 * (yield* Random.next)));
  const dueMs = nowMs + pauseMs;
  if (dueMs >= delivery.takenMs + delivery.ageMsMax) {
    return yield* giveUp(route, delivery, { error, exhausted: "MaximumEventAgeInSeconds" });
  }
  route.outbox.postpone(delivery.sequence, dueMs);
});

const internalFailure = (defect: unknown): AwsError =>
  new AwsError({ code: "InternalFailure", message: String(defect), status: 500 });

/** Trouble on the target's side passes; what is wrong with the request or the target does not. */
const mayPass = ({ status }: AwsError): boolean =>
  (status >= 500 && status !== 501) || status === 429;

/** Whether the target is not there. */
export const isMissing = ({ code }: AwsError): boolean =>
  code === "QueueDoesNotExist" || code === "NotFound" || code === "ResourceNotFoundException";

const giveUp = Effect.fnUntraced(function* (
  { attributesOf, outbox, sqs }: DeliveryRoute,
  delivery: Delivery,
  givenUp: GivenUp,
) {
  const { body, deadLetterArn, targetArn } = delivery;
  if (deadLetterArn === undefined) {
    yield* Effect.logWarning(`an event for ${targetArn} is dropped: ${givenUp.error.message}`);
  } else {
    const attributes = textAttributes(attributesOf(delivery, givenUp));
    yield* sqs
      .send(deadLetterArn, { body, attributes })
      .pipe(
        Effect.catch(({ message }) =>
          Effect.logWarning(`an event for ${targetArn} is lost, its dead-letter queue: ${message}`),
        ),
      );
  }
  outbox.remove(delivery.sequence);
});

const textAttributes = (texts: Readonly<Record<string, string>>): MessageAttributes =>
  Object.fromEntries(
    Object.entries(texts).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
  );

/** The limit of an SQS attribute is far away; this keeps a dead letter readable. */
const reasonCharactersMax = 500;

/** The error's message as an attribute of a dead letter, which may not be empty. */
export const reasonOf = ({ code, message }: AwsError): string =>
  message.slice(0, reasonCharactersMax) || code;
