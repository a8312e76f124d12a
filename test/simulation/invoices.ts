/**
 * The pipeline that follows the orders: each completed order is invoiced, once.
 */
import { type LifecycleEvent, Retry } from "@millrace/core";
import { Schema } from "effect";
import { Activity, Workflow } from "effect/workflow";
import { OutsideUnavailable } from "./Ledger.ts";
import { act, ordersName, patient } from "./orders.ts";

export const Invoice = Workflow.make("Invoice", {
  payload: { order: Schema.String },
  success: Schema.String,
  error: OutsideUnavailable,
  idempotencyKey: ({ order }) => order,
});

export const layerInvoice = Invoice.toLayer(() =>
  Activity.make({
    name: "invoice",
    success: Schema.String,
    error: OutsideUnavailable,
    execute: act("invoice", {}),
  }).pipe(Retry.retryActivity(patient)),
);

/** What an invoice is made from: the end of an order. */
export const afterOrder = {
  pipeline: ordersName,
  payloadOf: ({ executionId }: LifecycleEvent) => ({ order: executionId }),
};
