/**
 * Activities that are made only where they really run, beside those of `Activity.make`.
 */
import { assert, describe, it } from "@effect/vitest";
import { ExecutionRunner, FailureHandler, makeActivity, Retry } from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { Activity, DurableDeferred, Workflow, WorkflowEngine } from "effect/workflow";
import { makeWorld, type Process } from "./engineWorld.ts";

const Mixed = Workflow.make("Mixed", {
  payload: { id: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ id }) => id,
});
const gate = DurableDeferred.make("gate");

class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {
  readonly failureClass = "transient";
}

/** `Activity.make`, or what takes its place. */
type Make = typeof Activity.make;

/** Steps of every kind before a suspension, and one after it. */
const mixed = (make: Make, ran: Array<string>) => {
  const run = (name: string) => Effect.sync(() => void ran.push(name));
  let refusals = 1;
  return Mixed.toLayer(() =>
    Effect.gen(function* () {
      const date = yield* make({
        name: "date",
        success: Schema.Date,
        execute: Effect.as(run("date"), new Date(86_400_000)),
      });
      yield* make({ name: "nothing", execute: run("nothing") });
      yield* make({
        name: "busy",
        error: Busy,
        execute: Effect.andThen(
          run("busy"),
          Effect.suspend(() => (refusals-- > 0 ? Effect.fail(new Busy()) : Effect.void)),
        ),
      }).pipe(Retry.retryActivity({ baseMs: 1, jitter: 0 }));
      const refused = yield* make({
        name: "refused",
        error: Schema.String,
        execute: Effect.andThen(run("refused"), Effect.fail("no")),
      }).pipe(Effect.flip);
      yield* make({ name: "handler", execute: run("handler") }).annotate(FailureHandler, true);
      yield* DurableDeferred.await(gate);
      const names = ["x", "y", "z"].map((name) =>
        make({ name, success: Schema.String, execute: Effect.as(run(name), name) }),
      );
      const all = yield* Effect.all(names, { concurrency: "unbounded" });
      return [date.toISOString(), refused, ...all].join(" ");
    }).pipe(Effect.orDie),
  );
};

const openGate = (executionId: string) =>
  DurableDeferred.succeed(gate, {
    token: DurableDeferred.tokenFromExecutionId(gate, { workflow: Mixed, executionId }),
    value: undefined,
  });

/** Runs the workflow in one process until its gate, and in another to its end. */
const runThrough = (make: Make) =>
  Effect.gen(function* () {
    const world = yield* makeWorld;
    const ran: Array<string> = [];
    const executionId = yield* Mixed.executionId({ id: "a" });
    const wake = (process: Process) =>
      process.run(
        ExecutionRunner.use((runner) =>
          runner.wake({ workflow: "Mixed", executionId }, "explicit"),
        ),
      );
    const first = yield* world.start(mixed(make, ran), "frozen");
    yield* first.run(ExecutionRunner.use((runner) => runner.start(Mixed, { id: "a" })));
    yield* wake(first);
    yield* first.kill;
    const second = yield* world.start(mixed(make, ran), "frozen");
    yield* second.run(openGate(executionId));
    const { state } = yield* wake(second);
    const commits = yield* world.journal.load(executionId, 0);
    // When, by whom and how often it was looked at is not what the steps are about.
    const facts = commits
      .flatMap(({ events }) => events)
      .filter(({ _tag }) => !["RunStarted", "Suspended"].includes(_tag))
      .map((event) => JSON.stringify(event).replaceAll(/("\w+AtEpochMs"|"atEpochMs"):\d+/g, "$1"));
    return { facts, ran, state };
  });

describe("makeActivity", () => {
  it.live("leaves the history that Activity.make leaves, and runs each step once", () =>
    Effect.gen(function* () {
      const theirs = yield* runThrough(Activity.make);
      const ours = yield* runThrough(makeActivity);
      assert.deepStrictEqual(ours.facts, theirs.facts);
      assert.deepStrictEqual(ours.ran, theirs.ran);
      assert.include(JSON.stringify(ours.state.completed), "1970-01-02T00:00:00.000Z no x y z");
      assert.deepStrictEqual(ours.ran.join(" "), "date nothing busy busy refused handler x y z");
    }),
  );

  it.live("does not make what is recorded", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const made: Array<string> = [];
      const step = (name: string) =>
        makeActivity({
          name,
          success: Schema.String,
          // Read when the activity is made.
          get execute() {
            made.push(name);
            return Effect.succeed(name);
          },
        });
      const layer = Mixed.toLayer(() =>
        Effect.gen(function* () {
          yield* step("a");
          yield* DurableDeferred.await(gate);
          return yield* step("b");
        }),
      );
      const process = yield* world.start(layer, "frozen");
      const { executionId } = yield* process.run(
        ExecutionRunner.use((runner) => runner.start(Mixed, { id: "a" })),
      );
      yield* process.run(openGate(executionId));
      yield* process.run(
        ExecutionRunner.use((runner) =>
          runner.wake({ workflow: "Mixed", executionId }, "explicit"),
        ),
      );
      assert.deepStrictEqual(made, ["a", "b"]);
    }),
  );

  it.live("is Effect's own on another engine", () =>
    Effect.gen(function* () {
      const Plain = Workflow.make("Plain", {
        payload: { id: Schema.String },
        success: Schema.String,
        idempotencyKey: ({ id }) => id,
      });
      const step = makeActivity({
        name: "a",
        success: Schema.String,
        execute: Effect.succeed("done"),
      });
      const engine = Plain.toLayer(() => step).pipe(Layer.provideMerge(WorkflowEngine.layerMemory));
      const result = yield* Plain.execute({ id: "a" }).pipe(Effect.provide(engine));
      assert.strictEqual(result, "done");
    }),
  );
});
