/**
 * A body that is run again over its history: with the code that made it, and with other code.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  DuplicateActivity,
  ExecutionRunner,
  ExecutionVersion,
  HistoryDiverged,
  makeActivity,
  WorkflowVersion,
} from "@millrace/core";
import { Cause, Clock, Effect, Exit, Fiber, Random, Ref, Schema } from "effect";
import { TestClock } from "effect/testing";
import {
  Activity,
  DurableClock,
  DurableDeferred,
  Workflow,
  type WorkflowEngine,
} from "effect/workflow";
import { makeWorld, settle } from "./engineWorld.ts";

const payload = { id: Schema.String };
const idempotencyKey = ({ id }: { readonly id: string }) => id;
const gate = DurableDeferred.make("gate");

type MakeStep = (options: {
  readonly name: string;
  readonly success: typeof Schema.String;
  readonly execute: Effect.Effect<string>;
}) => Activity.Activity<typeof Schema.String>;

/** A workflow of named steps and what lies between them; `ran` gets the name of each step that ran. */
const make = (ran: Ref.Ref<ReadonlyArray<string>>, makeStep: MakeStep, version = 1) => {
  const workflow = Workflow.make("Plan", {
    payload,
    success: Schema.String,
    idempotencyKey,
  }).annotate(WorkflowVersion, version);
  const step = (name: string, execute: Effect.Effect<void> = Effect.void) =>
    makeStep({
      name,
      success: Schema.String,
      execute: Effect.andThen(
        execute,
        Ref.update(ran, (all) => [...all, name]),
      ).pipe(Effect.as(name)),
    });
  return { workflow, step };
};

type Made = ReturnType<typeof make>;
type Body = (
  step: Made["step"],
  makeStep: MakeStep,
) => Effect.Effect<string, never, WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance>;

/** Activities are made in either way. */
const makers: Readonly<Record<string, MakeStep>> = { "Activity.make": Activity.make, makeActivity };

/** Runs `before` until it waits for the gate, then `after` over what it left; answers with what `after` came to. */
const runBothWith =
  (makeStep: MakeStep) =>
  (before: Body, after: Body, versions: readonly [number, number] = [1, 1], valueMs = 0) =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      world.delays.valueMs = valueMs;
      const ran = yield* Ref.make<ReadonlyArray<string>>([]);
      const old = make(ran, makeStep, versions[0]);
      const first = yield* world.start(
        old.workflow.toLayer(() => before(old.step, makeStep)),
        "frozen",
      );
      yield* first.run(ExecutionRunner.use((runner) => runner.start(old.workflow, { id: "a" })));
      yield* first.kill;
      const ranBefore = yield* Ref.getAndSet(ran, []);
      const young = make(ran, makeStep, versions[1]);
      const second = yield* world.start(
        young.workflow.toLayer(() => after(young.step, makeStep)),
        "frozen",
      );
      const executionId = yield* young.workflow.executionId({ id: "a" });
      const target = { workflow: young.workflow._tag, executionId };
      const fiber = yield* Effect.forkChild(
        second.run(ExecutionRunner.use((runner) => runner.wake(target, "explicit"))),
      );
      // A body gets a moment to ask for what is recorded, before it counts as changed.
      for (let round = 0; round < 30; round++) {
        yield* settle;
        yield* TestClock.adjust("100 millis");
      }
      const { state } = yield* Fiber.join(fiber);
      return { world, state, executionId, before: ranBefore, after: yield* Ref.get(ran) };
    });

const parkedBy = (state: { readonly suspended: { readonly result: unknown } | undefined }) =>
  JSON.stringify(state.suspended?.result);

const recorded: Body = (step) =>
  step("a").pipe(
    Effect.andThen(step("b")),
    Effect.andThen(DurableDeferred.await(gate)),
    Effect.as(""),
  );

const fan =
  (names: ReadonlyArray<string>): Body =>
  (step) =>
    Effect.forEach(names, (name) => step(name), { concurrency: "unbounded" }).pipe(
      Effect.andThen(DurableDeferred.await(gate)),
      Effect.as(""),
    );

const race: Body = (step) =>
  Activity.raceAll("race", [step("slow", Effect.yieldNow), step("quick")]).pipe(
    Effect.tap(DurableDeferred.await(gate)),
  );

const guarded: Body = (step) =>
  Effect.gen(function* () {
    yield* step("a");
    if ((yield* ExecutionVersion) >= 2) yield* step("check");
    yield* step("b");
    yield* step("end");
    return "done";
  });

/** Its result is kept beside the journal, and has to be fetched in a replay. */
const large = (makeStep: MakeStep) =>
  makeStep({
    name: "large",
    success: Schema.String,
    execute: Effect.succeed("x".repeat(400_000)),
  });

const largeThenB: Body = (step, makeStep) => Effect.andThen(large(makeStep), step("b"));

const largeAlone: Body = (step, makeStep) =>
  Effect.tap(largeThenB(step, makeStep), DurableDeferred.await(gate));

const largeBesideNew: Body = (step, makeStep) =>
  Effect.all([largeThenB(step, makeStep), step("new")], { concurrency: "unbounded" }).pipe(
    Effect.andThen(DurableDeferred.await(gate)),
    Effect.as(""),
  );

for (const [maker, makeStep] of Object.entries(makers)) {
  const runBoth = runBothWith(makeStep);

  describe(`a replay under changed code (${maker})`, () => {
    it.effect("waits for a branch that a slow store keeps from asking for what is recorded", () =>
      Effect.gen(function* () {
        const { after: ran, state } = yield* runBoth(largeAlone, largeBesideNew, [1, 1], 2_000);
        assert.deepStrictEqual(ran, ["new"]);
        assert.isFalse(state.suspended?.failed);
      }),
    );

    it.effect("goes on where the code is the same", () =>
      Effect.gen(function* () {
        const { after, state } = yield* runBoth(recorded, recorded);
        assert.deepStrictEqual(after, []);
        assert.isFalse(state.suspended?.failed);
      }),
    );

    for (const [edit, body] of [
      ["a renamed step", (step) => step("a").pipe(Effect.andThen(step("b'")))],
      [
        "an added step",
        (step) => step("a").pipe(Effect.andThen(step("new")), Effect.andThen(step("b"))),
      ],
      ["a removed step", (step) => step("a").pipe(Effect.andThen(step("c")))],
      ["steps in another order", (step) => step("x").pipe(Effect.andThen(step("a")))],
      [
        "an added sleep",
        (step) =>
          step("a").pipe(
            Effect.tap(
              DurableClock.sleep({ name: "nap", duration: "1 hour", inMemoryThreshold: 0 }),
            ),
            Effect.tap(step("b")),
          ),
      ],
    ] satisfies ReadonlyArray<readonly [string, Body]>) {
      it.effect(
        `${edit} parks the execution before anything new is done, and says what is recorded and what was asked`,
        () =>
          Effect.gen(function* () {
            const { after, state } = yield* runBoth(recorded, body);
            assert.deepStrictEqual(after, []);
            assert.isTrue(state.suspended?.failed);
            assert.include(parkedBy(state), "HistoryDiverged");
          }),
      );
    }

    it.effect(
      "a removed end is noticed when the body completes, before the completion is stored",
      () =>
        Effect.gen(function* () {
          const { state } = yield* runBoth(recorded, (step) => step("a"));
          assert.isUndefined(state.completed);
          assert.include(parkedBy(state), 'has \\"b\\"');
        }),
    );

    it.effect("a renamed branch of a fan-out is noticed", () =>
      Effect.gen(function* () {
        const { after, state } = yield* runBoth(fan(["a", "b", "c"]), fan(["a", "z", "c"]));
        assert.deepStrictEqual(after, []);
        assert.include(parkedBy(state), 'has \\"b\\"');
      }),
    );

    it.effect("losers of a durable race that were recorded are no divergence", () =>
      Effect.gen(function* () {
        const { state } = yield* runBoth(race, (step) =>
          race(step, makeStep).pipe(Effect.tap(step("more"))),
        );
        assert.isFalse(state.suspended?.failed);
      }),
    );

    it.effect(
      "code that asks for the version its execution began with may add a step for newer ones",
      () =>
        Effect.gen(function* () {
          const { after, state } = yield* runBoth(recorded, guarded, [1, 2]);
          assert.deepStrictEqual(after, ["end"]);
          assert.isDefined(state.completed);
          const fresh = yield* runBoth((step) => Effect.as(step("a"), ""), guarded, [1, 2]);
          assert.deepStrictEqual(fresh.after, []);
        }),
    );

    it.effect("a parked execution goes on when the code that made it is back", () =>
      Effect.gen(function* () {
        const { executionId, world } = yield* runBoth(recorded, (step) =>
          step("a").pipe(Effect.andThen(step("b'"))),
        );
        const ran = yield* Ref.make<ReadonlyArray<string>>([]);
        const old = make(ran, makeStep);
        const third = yield* world.start(
          old.workflow.toLayer(() => recorded(old.step, makeStep)),
          "frozen",
        );
        const target = { workflow: "Plan", executionId };
        const automatic = yield* third.run(
          ExecutionRunner.use((runner) => runner.wake(target, "automatic")),
        );
        assert.deepInclude(automatic.advance, { reason: { _tag: "Parked" } });
        const { state } = yield* third.run(
          ExecutionRunner.use((runner) => runner.wake(target, "explicit")),
        );
        assert.isFalse(state.suspended?.failed);
      }),
    );
  });

  describe(`a body (${maker})`, () => {
    it.effect("that asks for one name twice is refused, with the name", () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const ran = yield* Ref.make<ReadonlyArray<string>>([]);
        const { step, workflow } = make(ran, makeStep);
        const process = yield* world.start(
          workflow.toLayer(() => step("a").pipe(Effect.andThen(step("a")))),
        );
        const exit = yield* Effect.exit(process.run(workflow.execute({ id: "a" })));
        assert.isTrue(Exit.isFailure(exit));
        if (Exit.isFailure(exit)) assert.instanceOf(Cause.squash(exit.cause), DuplicateActivity);
        assert.deepStrictEqual(yield* Ref.get(ran), ["a"]);
      }),
    );

    it.effect("draws the same random numbers and sees the same instants in every replay", () =>
      Effect.gen(function* () {
        const drawn: Array<ReadonlyArray<number>> = [];
        const body: Body = (step) =>
          Effect.gen(function* () {
            const before = [yield* Random.next, yield* Random.nextIntBetween(0, 1e9)];
            yield* step("a", Effect.asVoid(Random.next));
            drawn.push([...before, yield* Random.next, yield* Clock.currentTimeMillis]);
            yield* DurableDeferred.await(gate);
            return "";
          });
        yield* runBoth(body, body);
        assert.lengthOf(drawn, 2);
        assert.deepStrictEqual(drawn[0], drawn[1]);
      }),
    );
  });
}

it("what a divergence says names both sides and the way out", () => {
  const error = new HistoryDiverged({
    workflow: "Plan",
    executionId: "e",
    recorded: "b",
    asked: '"b\'"',
    recordedVersion: "1",
    runningVersion: "2",
  });
  assert.match(error.message, /"b".*"b'".*redrive/);
});
