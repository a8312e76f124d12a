/**
 * Spans tell what was done: a replay does nothing, and makes none.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect, Schema, Tracer } from "effect";
import { TestClock } from "effect/testing";
import { Activity, DurableClock, Workflow } from "effect/workflow";
import { makeWorld, settle } from "./engineWorld.ts";

const workflow = Workflow.make("Traced", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id,
});

const step = (name: string) =>
  Activity.make({ name, execute: Effect.withSpan(Effect.void, `inside ${name}`) });

const layer = workflow.toLayer(() =>
  Effect.gen(function* () {
    yield* step("first");
    yield* DurableClock.sleep({ name: "nap", duration: "3 hours" });
    yield* step("second");
  }),
);

/** A tracer that keeps each span with the name of its parent. */
const makeTracer = () => {
  const spans: Array<{ readonly name: string; readonly parent: string | undefined }> = [];
  const tracer = Tracer.make({
    span: (options) => {
      const parent = options.parent._tag === "Some" ? options.parent.value : undefined;
      spans.push({ name: options.name, parent: parent?._tag === "Span" ? parent.name : undefined });
      return new Tracer.NativeSpan(options);
    },
  });
  return { spans, tracer };
};

describe("an execution that suspends and replays", () => {
  it.effect("makes one span for each step that it did, with what the step did below it", () =>
    Effect.gen(function* () {
      const { spans, tracer } = makeTracer();
      const world = yield* makeWorld;
      yield* Effect.gen(function* () {
        const process = yield* world.start(layer);
        yield* process.run(workflow.execute({ id: "a" }, { discard: true }));
        yield* settle;
        yield* TestClock.adjust("3 hours");
        yield* process.run(workflow.execute({ id: "a" }));
      }).pipe(Effect.provideService(Tracer.Tracer, tracer));
      const ofSteps = spans.filter(({ name }) => /first|second/.test(name));
      assert.deepStrictEqual(
        ofSteps.map(({ name }) => name),
        ["first", "inside first", "second", "inside second"],
      );
      assert.deepStrictEqual(
        ofSteps.filter(({ name }) => name.startsWith("inside")).map(({ parent }) => parent),
        ["first", "second"],
      );
    }),
  );
});
