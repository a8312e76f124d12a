/** The receipt of a payment, after it; and a quote, of which only the newest counts. */
import { ObjectCreated, objectIdentity, ObjectStore, Retry, WriteFailure } from "@millrace/core";
import { Buckets } from "@millrace/workflows";
import { Effect, Schema } from "effect";
import { Activity, Workflow } from "effect/workflow";

const Written = Schema.Struct({ key: Schema.String });

const write = (key: string, text: string) =>
  Activity.make({
    name: "write",
    success: Written,
    error: WriteFailure,
    execute: Effect.gen(function* () {
      const store = yield* ObjectStore;
      const { clean } = yield* Buckets;
      yield* store.put({ bucket: clean, key, contentType: "text/plain" }, text);
      return { key };
    }),
  }).pipe(Retry.retryActivity());

export const Receipt = Workflow.make("Receipt", {
  payload: { payment: Schema.String, about: Schema.String },
  success: Written,
  error: WriteFailure,
  idempotencyKey: ({ payment }) => payment,
});

export const layerReceipt = Receipt.toLayer(({ about, payment }) =>
  write(`receipts/${payment}.txt`, about),
);

export const Quote = Workflow.make("Quote", {
  payload: { object: ObjectCreated },
  success: Written,
  error: WriteFailure,
  idempotencyKey: ({ object }) => objectIdentity(object),
});

export const layerQuote = Quote.toLayer(({ object }) =>
  write(`quoted/${object.key}`, object.versionId ?? ""),
);
