/**
 * Goal: what happens to an execution is announced, at least once and under one id per occasion, whatever dies.
 * Method: the real engine, with a bus that records and can stand still or be away; processes that are killed around an
 * announcement.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  announceLife,
  ExecutionRunner,
  type HistoryEvent,
  Lifecycle,
  type LifecycleEvent,
  LifecycleUnavailable,
  ProcessDeadline,
} from "@millrace/core";
import { Clock, Deferred, Effect, Layer, Schema } from "effect";
import { Activity, Workflow } from "effect/workflow";
import { StepFailed } from "./opsWorld.ts";
import { makeWorld, type Process } from "./engineWorld.ts";
import { because, stoppedWorld } from "./stoppedWorld.ts";
import { redrive } from "@millrace/core";

const workflow = Workflow.make("Announced", {
  payload: { id: Schema.String },
  success: Schema.String,
  error: StepFailed,
  idempotencyKey: ({ id }) => id,
});

/** A bus that keeps what it is told; `before` and `after` run around the keeping. */
const makeBus = (
  around: {
    readonly before?: (
      events: ReadonlyArray<LifecycleEvent>,
    ) => Effect.Effect<void, LifecycleUnavailable>;
    readonly after?: (events: ReadonlyArray<LifecycleEvent>) => Effect.Effect<void>;
  } = {},
) => {
  const told: Array<LifecycleEvent> = [];
  const layer = Layer.succeed(Lifecycle, {
    announce: Effect.fnUntraced(function* (events: ReadonlyArray<LifecycleEvent>) {
      yield* around.before?.(events) ?? Effect.void;
      told.push(...events);
      yield* around.after?.(events) ?? Effect.void;
    }),
  });
  return { layer, told };
};

const layerOf = (fails = false) =>
  workflow.toLayer(({ id }) =>
    Activity.make({
      name: "step",
      success: Schema.String,
      error: StepFailed,
      execute: fails ? new StepFailed({ step: "step" }) : Effect.succeed(`done ${id}`),
    }).pipe(announceLife({ pipeline: "p", subject: "s", success: Schema.String })),
  );

const start = (process: Process) =>
  process.run(ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" })));

const kindsOf = (told: ReadonlyArray<LifecycleEvent>) => told.map(({ kind }) => kind);

const names = (history: ReadonlyArray<{ readonly events: ReadonlyArray<HistoryEvent> }>) =>
  history.map(({ events }) =>
    events.map((event) => (event._tag === "ActivityCompleted" ? event.name : event._tag)),
  );

describe("an execution", () => {
  it.live("announces its start and its end, and the end's result", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const bus = makeBus();
      const process = yield* world.start(Layer.provide(layerOf(), bus.layer), "frozen");
      const { executionId } = yield* start(process);
      assert.deepStrictEqual(kindsOf(bus.told), ["ExecutionStarted", "ExecutionCompleted"]);
      assert.deepInclude(bus.told[1], {
        id: `${executionId}/ExecutionCompleted/0`,
        pipeline: "p",
        workflow: "Announced",
        executionId,
        result: "done a",
      });
      // A duplicate of the message tells nobody anything.
      yield* start(process);
      assert.lengthOf(bus.told, 2);
    }),
  );

  it.live("announces its start beside its first step: it costs no commit of its own", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const process = yield* world.start(layerOf(), "frozen");
      const { executionId } = yield* start(process);
      const history = yield* world.journal.load(executionId, 0);
      assert.deepStrictEqual(
        names(history).map((events) => events.toSorted()),
        [
          ["ExecutionStarted", "RunStarted"],
          ["announce start", "step"],
          ["Completed", "announce end"],
        ],
      );
    }),
  );

  it.live("that fails announces the failure and its dead letter, with class and cause", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const bus = makeBus();
      const process = yield* world.start(Layer.provide(layerOf(true), bus.layer), "frozen");
      yield* start(process);
      assert.deepStrictEqual(kindsOf(bus.told), [
        "ExecutionStarted",
        "ExecutionFailed",
        "ExecutionDeadLettered",
      ]);
      assert.deepInclude(bus.told[1]?.failure, { tag: "StepFailed", failureClass: "transient" });
    }),
  );

  it.live("that is redriven announces that, and its new end under a new id", () =>
    Effect.gen(function* () {
      const bus = makeBus();
      const world = yield* stoppedWorld(
        ({ step }) =>
          step("work").pipe(
            announceLife({ pipeline: "p", subject: "s", success: Schema.Void }),
            Effect.provideService(Lifecycle, {
              announce: (events) => Effect.sync(() => void bus.told.push(...events)),
            }),
          ),
        ["work"],
      );
      assert.deepStrictEqual(kindsOf(bus.told.splice(0)), [
        "ExecutionStarted",
        "ExecutionFailed",
        "ExecutionDeadLettered",
      ]);
      world.broken.delete("work");
      yield* world.operate(redrive(world.executionId, because));
      yield* world.deliver;
      assert.deepStrictEqual(
        bus.told.map(({ id }) => id.slice(id.indexOf("/") + 1)),
        ["ExecutionRedriven/1", "ExecutionCompleted/1"],
      );
    }),
  );

  it.live("whose bus is away while it begins does its work, and tells of both with its end", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      let isAway = true;
      const bus = makeBus({
        before: () =>
          isAway
            ? Effect.fail(new LifecycleUnavailable({ target: "bus", reason: "away" }))
            : Effect.void,
      });
      const working = workflow.toLayer(() =>
        Activity.make({
          name: "step",
          success: Schema.String,
          // Longer than the start is tried to be told of.
          execute: Effect.as(Effect.sleep("700 millis"), "done"),
        }).pipe(
          Effect.tap(() => Effect.sync(() => void (isAway = false))),
          announceLife({ pipeline: "p", subject: "s", success: Schema.String }),
        ),
      );
      const process = yield* world.start(Layer.provide(working, bus.layer), "frozen");
      const { state } = yield* start(process);
      assert.isDefined(state.completed);
      assert.deepStrictEqual(kindsOf(bus.told), ["ExecutionStarted", "ExecutionCompleted"]);
      // Nothing of it was a durable pause.
      assert.deepStrictEqual(world.wakes, []);
    }),
  );

  it.live("whose bus is away at its end waits, and tells later", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      let refusals = 1;
      const bus = makeBus({
        before: (events) =>
          events.some(({ kind }) => kind === "ExecutionCompleted") && refusals-- > 0
            ? Effect.fail(new LifecycleUnavailable({ target: "bus", reason: "away" }))
            : Effect.void,
      });
      const process = yield* world.start(Layer.provide(layerOf(), bus.layer));
      yield* process.run(workflow.execute({ id: "a" }));
      assert.deepStrictEqual(kindsOf(bus.told), ["ExecutionStarted", "ExecutionCompleted"]);
    }),
  );
});

describe("a process that dies around the announcement of an end", () => {
  for (const place of ["before", "after"] as const) {
    it.live(`${place} it was told loses nothing, and what is told twice has one id`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const there = yield* Deferred.make<void>();
        let isFirst = true;
        const standStill = (events: ReadonlyArray<LifecycleEvent>) =>
          isFirst && events.some(({ kind }) => kind === "ExecutionCompleted")
            ? Effect.andThen(Deferred.succeed(there, undefined), Effect.never)
            : Effect.void;
        const bus = makeBus({ [place]: standStill });
        const layer = Layer.provide(layerOf(), bus.layer);
        const one = yield* world.start(layer, "frozen");
        const deadline = (yield* Clock.currentTimeMillis) + 300;
        yield* Effect.forkChild(Effect.provideService(start(one), ProcessDeadline, deadline));
        yield* Deferred.await(there);
        yield* one.kill;
        isFirst = false;
        yield* Effect.sleep("350 millis");
        const { state } = yield* start(yield* world.start(layer, "frozen"));
        assert.isDefined(state.completed);
        const ends = bus.told.filter(({ kind }) => kind === "ExecutionCompleted");
        assert.lengthOf(ends, place === "before" ? 1 : 2);
        assert.lengthOf(new Set(ends.map(({ id }) => id)), 1);
      }),
    );
  }
});
