/**
 * Goal: a parent that failed of a child goes on together with it, whatever dies in between.
 * Method: a parent with two children under the real engine; wakes that are delivered by hand.
 */
import { assert, describe, it } from "@effect/vitest";
import { redrive } from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { makeOpsWorld, makeSteps, StepFailed } from "./opsWorld.ts";
import { because, succeeded } from "./stoppedWorld.ts";

const definition = {
  payload: { id: Schema.String },
  error: StepFailed,
  idempotencyKey: ({ id }: { readonly id: string }) => id,
};
const Child = Workflow.make("Child", definition);
const Parent = Workflow.make("Parent", definition);

describe("a parent whose child failed", () => {
  /** A parent that runs a step, two children one after another, and a last step. */
  const family = Effect.fnUntraced(function* (broken: ReadonlyArray<string>, isCaught = false) {
    const world = yield* makeOpsWorld;
    const { ran, step, takeRan, ...steps } = makeSteps();
    for (const name of broken) steps.broken.add(name);
    const child = Child.toLayer(({ id }) =>
      Effect.andThen(step(`${id} begins`), step(`${id} ends`)),
    );
    const parent = Parent.toLayer(({ id }) =>
      step("begin").pipe(
        Effect.andThen(Child.execute({ id: `${id}/good` })),
        Effect.andThen(
          isCaught
            ? Effect.ignore(Child.execute({ id: `${id}/bad` }))
            : Child.execute({ id: `${id}/bad` }),
        ),
        Effect.andThen(step("end")),
      ),
    );
    const process = yield* world.start(Layer.merge(child, parent), "frozen");
    yield* process.run(Effect.exit(Parent.execute({ id: "p" })));
    const executionId = yield* Parent.executionId({ id: "p" });
    const bad = yield* Child.executionId({ id: "p/bad" });
    takeRan();
    return { ...world, ...steps, ran, takeRan, process, executionId, bad };
  });

  it.live("goes on together with the child, from the child's failed step", () =>
    Effect.gen(function* () {
      const world = yield* family(["p/bad ends"]);
      world.broken.clear();
      const redriven = yield* world.operate(redrive(world.executionId, because));
      assert.deepStrictEqual(redriven.forgotten, {
        activities: [],
        clocks: [],
        deferreds: [`Child/${world.bad}`],
      });
      assert.deepStrictEqual(
        redriven.children.map(({ executionId }) => executionId),
        [world.bad],
      );
      yield* world.deliver(world.process);
      assert.deepStrictEqual(world.takeRan(), ["p/bad ends", "end"]);
      for (const id of [world.executionId, world.bad]) {
        const events = yield* world.events(id);
        assert.strictEqual(events.at(-1)?._tag, "Completed");
        assert.include(JSON.stringify(events.at(-1)), succeeded);
      }
    }),
  );

  it.live("leaves the child alone whose failure it had caught", () =>
    Effect.gen(function* () {
      const world = yield* family(["p/bad ends", "end"], true);
      world.broken.clear();
      const { children } = yield* world.operate(redrive(world.executionId, because));
      assert.deepStrictEqual(children, []);
      yield* world.deliver(world.process);
      assert.deepStrictEqual(world.takeRan(), ["end"]);
    }),
  );

  it.live("goes on when the redrive died between the child and the parent", () =>
    Effect.gen(function* () {
      const world = yield* family(["p/bad ends"]);
      world.broken.clear();
      yield* world.operate(redrive(world.bad, because));
      yield* world.deliver(world.process);
      assert.deepStrictEqual(world.takeRan(), ["p/bad ends"]);
      yield* world.operate(redrive(world.executionId, because));
      yield* world.deliver(world.process);
      assert.deepStrictEqual(world.takeRan(), ["end"]);
    }),
  );

  it.live("is told of the child's end when the child ends later", () =>
    Effect.gen(function* () {
      const world = yield* family(["p/bad ends"]);
      world.broken.clear();
      yield* world.operate(redrive(world.bad, because));
      const wakesOfChild = world.asked.splice(0);
      // The child has been redriven and not run yet when the parent is.
      const { children, forgotten } = yield* world.operate(redrive(world.executionId, because));
      assert.deepStrictEqual(children, []);
      assert.deepStrictEqual(forgotten.deferreds, [`Child/${world.bad}`]);
      world.asked.push(...wakesOfChild);
      yield* world.deliver(world.process);
      assert.include(JSON.stringify((yield* world.events(world.executionId)).at(-1)), succeeded);
    }),
  );
});
