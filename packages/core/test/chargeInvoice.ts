/** The example of docs/effects.md, which holds this file's text from the first import on. */
import { Concurrency, Idempotency, makeActivity, RateLimit, Retry, Timeout } from "@millrace/core";
import { Context, type Effect, Schema } from "effect";
import { Workflow } from "effect/workflow";

/** The vendor's API: what it refuses for good is permanent, everything else passes. */
export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", {
  invoice: Schema.String,
}) {
  readonly failureClass = "permanent";
}
export class VendorAway extends Schema.TaggedError<VendorAway>()("VendorAway", {}) {
  readonly failureClass = "transient";
}
export class Vendor extends Context.Service<
  Vendor,
  {
    readonly charge: (
      invoice: string,
      amount: number,
    ) => Effect.Effect<string, CardDeclined | VendorAway>;
  }
>()("example/Vendor") {}

const ChargeFailure = Schema.Union([
  CardDeclined,
  VendorAway,
  Timeout.TimeoutFailure,
  RateLimit.RateLimitFailure,
  Concurrency.ConcurrencyFailure,
  Idempotency.IdempotencyFailure,
]);

export const ChargeInvoice = Workflow.make("ChargeInvoice", {
  payload: { order: Schema.String, invoice: Schema.String, amount: Schema.Int },
  success: Schema.String,
  error: ChargeFailure,
  idempotencyKey: ({ order }) => order,
});

/** Read from the inside out: each line wraps what stands above it. */
const charge = (invoice: string, amount: number) =>
  Vendor.use((vendor) => vendor.charge(invoice, amount)).pipe(
    // 1. One call may take so long; the same time-out twice is no accident.
    Timeout.timeout({ work: "charge", limit: "10 seconds" }),
    Timeout.escalate,
    // 2. A hiccup is retried here, without giving up what is held below.
    Retry.retry({ attemptsMax: 2, baseMs: 200 }),
    // 3. The vendor allows five calls at a time and a hundred a minute, from all our functions together.
    Concurrency.limit({ key: "vendor", slots: 5 }),
    RateLimit.limit({ key: "vendor", limit: 100, window: "1 minute" }),
    // 4. Whoever charges this invoice, and however often: once. A known result costs no slot and no token.
    Idempotency.once({ key: `charge/${invoice}`, payload: { amount }, success: Schema.String }),
  );

export const layerChargeInvoice = ChargeInvoice.toLayer(({ amount, invoice }) =>
  makeActivity({
    name: "charge",
    success: Schema.String,
    error: ChargeFailure,
    execute: charge(invoice, amount),
  }).pipe(
    // 5. What is left waits durably: the function is not running meanwhile. The vendor's limits deserve more patience.
    Retry.retryActivity({ classes: { throttled: { attemptsMax: 20, capMs: 300_000 } } }),
  ),
);
