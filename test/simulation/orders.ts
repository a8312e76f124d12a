/**
 * The simulator's own pipeline: one workflow that uses every part of the engine's contract.
 *
 *   read the order -> reserve (with compensation) -> three quotes side by side -> [approval, a signal] -> [sleep]
 *   -> [a question about a child workflow, then the child, which sleeps] -> charge -> write the receipt
 *
 * The order's text says which parts it has, so that each seed draws its own mixture. Every activity tells the outside
 * what it is based on: an effect that used a result which the history does not hold is found out.
 */
import {
  announceLife,
  DeadLetter,
  makeActivity,
  ObjectCreated,
  objectIdentity,
  objectName,
  ObjectStore,
  ReadFailure,
  Retry,
} from "@millrace/core";
import { Effect, Option, Schema, Stream } from "effect";
import { Activity, DurableClock, DurableDeferred, Workflow, WorkflowEngine } from "effect/workflow";
import { Outside, OutsideUnavailable } from "./Ledger.ts";

/** What an uploaded order asks for. */
export const OrderText = Schema.Struct({
  poison: Schema.Boolean,
  approval: Schema.Boolean,
  sleepMs: Schema.Int,
  child: Schema.Boolean,
  childSleepMs: Schema.Int,
  /** Size of what each quote answers, in bytes: large ones must be stored in several commits. */
  quoteBytes: Schema.Int,
});
export type OrderText = typeof OrderText.Type;
const decodeOrder = Schema.decodeUnknownEffect(Schema.fromJsonString(OrderText));

/** The order can never be charged. */
export class CardRefused extends Schema.TaggedError<CardRefused>()("CardRefused", {}) {
  readonly failureClass = "permanent";
}

const OrderFailure = Schema.Union([CardRefused, OutsideUnavailable, ...ReadFailure.members]);

/** Attempts outlast every outage that a scenario has; a run that gives up would be a failure of good work. */
export const patient = { attemptsMax: 12, baseMs: 500, factor: 2, capMs: 60_000 };

/**
 * Does something outside, under its own key.
 *
 * Some activities here are made by `makeActivity` and some by `Activity.make`: a body may have both.
 */
export const act = (name: string, basedOn: Record<string, string>) =>
  Effect.gen(function* () {
    const outside = yield* Outside;
    const { executionId } = yield* WorkflowEngine.WorkflowInstance;
    const idempotencyKey = yield* Activity.idempotencyKey(name);
    return yield* outside.act({ executionId, activity: name, idempotencyKey, basedOn });
  });

const step = (name: string, basedOn: Record<string, string> = {}) =>
  makeActivity({
    name,
    success: Schema.String,
    error: OutsideUnavailable,
    execute: act(name, basedOn),
  }).pipe(Retry.retryActivity(patient));

/** A compensation cannot suspend: it retries in process, and a run that dies in it is replayed. */
const release = (reserve: string) =>
  Activity.make({
    name: "release",
    success: Schema.String,
    error: OutsideUnavailable,
    execute: act("release", { reserve }).pipe(
      Retry.retry({ ...patient, baseMs: 50, capMs: 2_000 }),
    ),
  }).pipe(Effect.orDie);

export const Part = Workflow.make("Part", {
  payload: { order: Schema.String, sleepMs: Schema.Int },
  success: Schema.String,
  error: OutsideUnavailable,
  idempotencyKey: ({ order }) => order,
});

export const layerPart = Part.toLayer(
  Effect.fnUntraced(function* ({ sleepMs }) {
    const cut = yield* step("cut");
    yield* DurableClock.sleep({ name: "glue dries", duration: sleepMs, inMemoryThreshold: 1_000 });
    return yield* step("polish", { cut });
  }),
);

export const Order = Workflow.make("Order", {
  payload: { object: ObjectCreated },
  success: Schema.String,
  error: OrderFailure,
  idempotencyKey: ({ object }) => objectIdentity(object),
});

export const approvalOf = DurableDeferred.make("approval", { success: Schema.String });

export const ordersName = "orders";
export const orderQueues = { queue: "orders", deadLetterQueue: "orders-dead-letters" };

const readOrder = Effect.fnUntraced(function* (object: ObjectCreated) {
  const store = yield* ObjectStore;
  const text = yield* store.read(object).pipe(Stream.decodeText(), Stream.mkString);
  return yield* Effect.orDie(decodeOrder(text));
});

/**
 * The workflow's code as it may be deployed: today's, or with an edit that a careless engineer made to it.
 * An execution that began with one must not be mixed with another.
 */
export const editions = ["today", "renamed", "added", "removed", "reordered"] as const;
export type Edition = (typeof editions)[number];

/** Asks about the part before it is ordered, as a step may ask about any execution. */
const makePart = Effect.fnUntraced(function* (part: typeof Part.payloadSchema.Type) {
  const executionId = yield* Part.executionId(part);
  yield* Activity.make({
    name: "is the part there",
    success: Schema.Boolean,
    execute: Effect.map(Part.poll(executionId), Option.isSome),
  });
  return yield* Part.execute(part);
});

const awaitApproval = (order: OrderText) =>
  order.approval ? Effect.asVoid(DurableDeferred.await(approvalOf)) : Effect.void;

const process = Effect.fnUntraced(function* (object: ObjectCreated, edition: Edition) {
  const order = yield* makeActivity({
    name: "read",
    success: OrderText,
    error: OrderFailure,
    execute: readOrder(object),
  }).pipe(Retry.retryActivity(patient));
  const reserve = yield* step("reserve").pipe(
    Order.withCompensation((reserve) => release(reserve)),
  );
  if (edition === "reordered") yield* awaitApproval(order);
  const quotes = yield* Effect.forEach(
    edition === "removed" ? ["quote a", "quote b"] : ["quote a", "quote b", "quote c"],
    // One value beyond a commit's size is enough; below it, it takes all three to fill one.
    (name) =>
      quote(name, reserve, name === "quote a" ? order.quoteBytes : order.quoteBytes % 310_000),
    { concurrency: "unbounded" },
  );
  const approval = order.approval ? yield* DurableDeferred.await(approvalOf) : "";
  if (order.sleepMs > 0) {
    yield* DurableClock.sleep({
      name: "cool down",
      duration: order.sleepMs,
      inMemoryThreshold: 1_000,
    });
  }
  const { executionId } = yield* WorkflowEngine.WorkflowInstance;
  const part = order.child
    ? yield* makePart({ order: executionId, sleepMs: order.childSleepMs })
    : "";
  if (edition === "added") yield* step("audit", { reserve });
  const charge = yield* chargeOrRefuse(edition === "renamed" ? "bill" : "charge", order, {
    reserve,
    "quote a": quotes[0] ?? "",
    approval,
    part,
  });
  return yield* Activity.make({
    name: "receipt",
    success: Schema.String,
    error: OrderFailure,
    execute: writeReceipt(object, charge, reserve),
  }).pipe(Retry.retryActivity(patient));
});

const quote = (name: string, reserve: string, bytes: number) =>
  makeActivity({
    name,
    success: Schema.String,
    error: OutsideUnavailable,
    execute: act(name, { reserve }).pipe(Effect.map((token) => token.padEnd(bytes, "."))),
  }).pipe(
    Retry.retryActivity(patient),
    Effect.map((padded) => padded.split(".", 1)[0] ?? ""),
  );

const chargeOrRefuse = (name: string, order: OrderText, basedOn: Record<string, string>) =>
  Activity.make({
    name,
    success: Schema.String,
    error: OrderFailure,
    execute: order.poison ? Effect.fail(new CardRefused()) : act(name, basedOn),
  }).pipe(Retry.retryActivity(patient));

/** Key of an order's receipt: derived from the version, so that a second write is the same object. */
export const receiptKey = (object: ObjectCreated): string =>
  `receipts/${object.key}@${object.versionId ?? object.etag}`;

const writeReceipt = Effect.fnUntraced(function* (
  object: ObjectCreated,
  charge: string,
  reserve: string,
) {
  yield* act("receipt", { charge, reserve });
  const store = yield* ObjectStore;
  const key = receiptKey(object);
  const target = { bucket: "clean", key, contentType: "text/plain" };
  yield* store.put(target, `receipt for ${objectName(object)}: ${charge}`);
  return charge;
});

export const layerOrder = (edition: Edition) =>
  Order.toLayer(({ object }) =>
    process(object, edition).pipe(
      DeadLetter.routeActivity({
        pipeline: ordersName,
        queue: orderQueues.deadLetterQueue,
        subject: objectName(object),
        original: JSON.stringify({ object }),
      }),
      announceLife({
        pipeline: ordersName,
        subject: objectName(object),
        object,
        success: Schema.String,
      }),
    ),
  );
