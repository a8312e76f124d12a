/**
 * A payment: an uploaded order, paid once per invoice through a vendor who wants a key, limits its callers, and fails as
 * it is told to.
 *
 * Each call of the vendor leaves an object under `paid/<invoice>/`: so the calls can be counted from outside.
 */
import {
  announceLife,
  DeadLetter,
  Idempotency,
  ObjectCreated,
  objectIdentity,
  objectName,
  ObjectStore,
  PayloadIdentity,
  RateLimit,
  ReadFailure,
  Retry,
  Secrets,
  toEventText,
  WriteFailure,
} from "@millrace/core";
import { Buckets } from "@millrace/workflows";
import { queueNames } from "@millrace/workflows/topology";
import { Context, Effect, Redacted, Schema, Stream } from "effect";
import { Activity, DurableDeferred, Workflow } from "effect/workflow";
import { payments } from "./bank.ts";

/** What the vendor does. */
const Behaviour = Schema.Literals(["pay", "decline", "break", "misread", "disclose", "ask"]);

const Order = Schema.fromJsonString(
  Schema.Struct({
    invoice: Schema.String,
    card: Schema.String,
    note: Schema.optionalKey(Schema.String),
    behaviour: Behaviour,
    /** Calls that the vendor takes in an hour. */
    callsPerHour: Schema.optionalKey(Schema.Int),
  }),
);
const Paid = Schema.Struct({ invoice: Schema.String, receipt: Schema.String });

const decodeNote = Schema.decodeUnknownSync(Paid);
const decodeOrder = Schema.decodeUnknownEffect(Order);

/** The order cannot be read. */
class OrderUnreadable extends Schema.TaggedError<OrderUnreadable>()("OrderUnreadable", {
  object: Schema.String,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
}

/** The vendor does not take the card. (It tells the number: what others write into their errors nobody can choose.) */
class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", {
  card: Schema.String,
  detail: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `card ${this.card} was declined: ${this.detail}`;
  }
}

/** The vendor takes no more calls in this hour, and nobody waits for the next. */
class VendorBusy extends Schema.TaggedError<VendorBusy>()("VendorBusy", { reason: Schema.String }) {
  readonly failureClass = "permanent";
}

const Failure = Schema.Union([
  OrderUnreadable,
  CardDeclined,
  VendorBusy,
  RateLimit.RateLimitUnavailable,
  Idempotency.IdempotencyFailure,
  Secrets.SecretFailure,
  ...ReadFailure.members,
  ...WriteFailure.members,
]);

export const Payment = Workflow.make("Payment", {
  payload: { object: ObjectCreated },
  success: Paid,
  error: Failure,
  idempotencyKey: ({ object }) => objectIdentity(object),
  annotations: Context.make(PayloadIdentity, (payload) => payload),
});

/** What a person has to say before a payment is made that asks. */
export const Approval = DurableDeferred.make("approval", { success: Schema.String });

const readOrder = Effect.fnUntraced(function* (object: ObjectCreated) {
  const store = yield* ObjectStore;
  const text = yield* Stream.mkString(Stream.decodeText(store.read(object)));
  return yield* decodeOrder(text).pipe(
    Effect.mapError(
      ({ message }) => new OrderUnreadable({ object: objectName(object), reason: message }),
    ),
  );
});

const callVendor = Effect.fnUntraced(function* (
  { behaviour, card, invoice, note = "" }: typeof Order.Type,
  key: string,
) {
  switch (behaviour) {
    case "decline":
      return yield* new CardDeclined({ card, detail: `refused with key ${key}` });
    case "break":
      return yield* Effect.die(new Error(`cannot charge ${card} with ${key}`));
    case "misread":
      return yield* Effect.sync(() => decodeNote(JSON.parse(note)));
    case "disclose":
      return { invoice, receipt: `paid with ${key}` };
    default: {
      const store = yield* ObjectStore;
      const { clean } = yield* Buckets;
      const receipt = `paid/${invoice}/${crypto.randomUUID()}.json`;
      yield* store.put({ bucket: clean, key: receipt, contentType: "application/json" }, "{}");
      return { invoice, receipt };
    }
  }
});

const pay = Effect.fnUntraced(function* (object: ObjectCreated) {
  const order = yield* readOrder(object);
  yield* Effect.logDebug("paying").pipe(Effect.annotateLogs({ invoice: order.invoice }));
  const call = Secrets.withSecret(
    "bank-key",
    (key) => callVendor(order, Redacted.value(key)),
    () => false,
  );
  const { callsPerHour } = order;
  const limited =
    callsPerHour === undefined
      ? call
      : call.pipe(
          RateLimit.limit({ key: "vendor", limit: callsPerHour, window: "1 hour" }),
          Effect.catchTag("RateLimited", () => new VendorBusy({ reason: "no call is left" })),
        );
  return yield* limited.pipe(
    Idempotency.once({
      key: `pay/${order.invoice}`,
      payload: { invoice: order.invoice, card: order.card },
      success: Paid,
      lease: "2 seconds",
    }),
  );
});

const asks = (object: ObjectCreated) =>
  Activity.make({
    name: "look",
    success: Schema.Boolean,
    error: Failure,
    execute: Effect.map(readOrder(object), ({ behaviour }) => behaviour === "ask"),
  }).pipe(Retry.retryActivity());

/** The workflow's code. */
export const layerPayment = Payment.toLayer(({ object }) =>
  Effect.gen(function* () {
    if (yield* asks(object)) yield* DurableDeferred.await(Approval);
    return yield* Activity.make({
      name: "pay",
      success: Paid,
      error: Failure,
      execute: pay(object),
    }).pipe(Retry.retryActivity({ classes: { throttled: { attemptsMax: 10, jitter: 0.5 } } }));
  }).pipe(
    DeadLetter.routeActivity({
      pipeline: payments.name,
      queue: queueNames(payments).deadLetterQueue,
      subject: objectName(object),
      original: toEventText(object),
    }),
    announceLife({ pipeline: payments.name, subject: objectName(object), object, success: Paid }),
  ),
);
