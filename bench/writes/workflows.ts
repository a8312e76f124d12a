/**
 * The shapes of workflow whose writes are counted.
 */
import { Durability, ObjectCreated, objectIdentity } from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { Activity, DurableClock, Workflow } from "effect/workflow";

/** A result of about 300 bytes of JSON, as a step's report has. */
const report = "x".repeat(300);
/** Work of one activity of a fan-out, in milliseconds: real activities do not all end in the same turn. */
const sideMs = 6;
/** A durable sleep, in milliseconds; it suspends, because no time is spent in memory. */
export const sleepMs = 50;

const step = (name: string, text = report) =>
  Activity.make({ name, success: Schema.String, execute: Effect.succeed(text) });
const side = (name: string) =>
  Activity.make({
    name,
    success: Schema.String,
    execute: Effect.as(Effect.sleep(sideMs), report),
  });

const make = (tag: string) =>
  Workflow.make(tag, {
    payload: { object: ObjectCreated },
    success: Schema.String,
    idempotencyKey: ({ object }) => objectIdentity(object),
  });

const tenSteps = Effect.gen(function* () {
  for (let index = 0; index < 10; index++) yield* step(`step ${index}`);
  return report;
});

const Sequential = make("Sequential");
const Parallel = make("Parallel");
const Sleeping = make("Sleeping");
const Express = make("Express").annotate(Durability, "express");
const Csv = make("Csv");

/** Each shape with its name, and the layer that has its code. */
export const shapes = [
  {
    name: "10 sequential activities",
    steps: 10,
    workflow: Sequential,
    layer: Sequential.toLayer(() => tenSteps),
  },
  {
    name: "21 parallel activities",
    steps: 21,
    workflow: Parallel,
    layer: Parallel.toLayer(() =>
      Effect.as(
        Effect.all(
          Array.from({ length: 21 }, (_, index) => side(`side ${index}`)),
          { concurrency: "unbounded" },
        ),
        report,
      ),
    ),
  },
  {
    name: "activity, sleep, activity",
    steps: 2,
    workflow: Sleeping,
    layer: Sleeping.toLayer(() =>
      Effect.gen(function* () {
        yield* step("before");
        yield* DurableClock.sleep({ name: "pause", duration: sleepMs, inMemoryThreshold: 0 });
        return yield* step("after");
      }),
    ),
  },
  {
    name: "10 sequential activities, express",
    steps: 10,
    workflow: Express,
    layer: Express.toLayer(() => tenSteps),
  },
  {
    // A look at the file's beginning, and a pass whose report is about 1.2 KB.
    name: "the CSV pipeline's shape",
    steps: 2,
    workflow: Csv,
    layer: Csv.toLayer(() =>
      Effect.gen(function* () {
        yield* step("validate");
        return yield* step("transform", "x".repeat(1_200));
      }),
    ),
  },
] as const;

export const layerShapes = Layer.mergeAll(
  shapes[0].layer,
  shapes[1].layer,
  shapes[2].layer,
  shapes[3].layer,
  shapes[4].layer,
);
