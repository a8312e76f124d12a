/**
 * Compensations that take time, while requests to interrupt, signals and the end of the process's time come.
 */
import { assert, describe, it } from "@effect/vitest";
import { ExecutionRunner } from "@millrace/core";
import { Cause, Deferred, Effect, Exit, Fiber, Ref, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, DurableDeferred, Workflow } from "effect/workflow";
import { makeWorld, settle } from "./engineWorld.ts";

const gate = DurableDeferred.make("gate");

const Book = Workflow.make("Book", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id,
});

describe("a compensation that takes time", () => {
  it.live("runs to its end when a signal preempts a run that is to be interrupted", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const told = yield* Ref.make<ReadonlyArray<string>>([]);
      const tell = (what: string) => Ref.update(told, (all) => [...all, what]);
      const slowBegan = yield* Deferred.make<void>();
      const layer = Book.toLayer(() =>
        Effect.gen(function* () {
          yield* Activity.make({ name: "reserve", execute: tell("reserved") }).pipe(
            Book.withCompensation(() =>
              Activity.make({
                name: "release",
                execute: tell("release begins").pipe(
                  Effect.andThen(Effect.sleep("20 millis")),
                  Effect.andThen(tell("released")),
                ),
              }),
            ),
          );
          const slow = Activity.make({
            name: "slow",
            execute: Deferred.succeed(slowBegan, undefined).pipe(Effect.andThen(Effect.never)),
          });
          yield* Effect.all([slow, DurableDeferred.await(gate)], { concurrency: "unbounded" });
        }),
      );
      const process = yield* world.start(layer);
      const executionId = yield* Book.executionId({ id: "a" });
      const running = yield* Effect.forkChild(process.run(Book.execute({ id: "a" })));
      yield* Deferred.await(slowBegan);
      yield* process.run(Book.interrupt(executionId));
      const token = DurableDeferred.tokenFromExecutionId(gate, { workflow: Book, executionId });
      yield* process.run(DurableDeferred.succeed(gate, { token, value: undefined }));
      const exit = yield* Fiber.await(running);
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause));
      assert.deepStrictEqual(yield* Ref.get(told), ["reserved", "release begins", "released"]);
      const { state } = yield* process.run(
        ExecutionRunner.use((runner) => runner.wake({ workflow: "Book", executionId }, "explicit")),
      );
      assert.strictEqual(state.activities.get("1/release")?.role, "compensation");
    }),
  );
});

describe("a run that is to be interrupted", () => {
  it.effect("compensates what a side branch has done, whichever branch stops first", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const told = yield* Ref.make<ReadonlyArray<string>>([]);
      const tell = (what: string) => Ref.update(told, (all) => [...all, what]);
      const layer = Book.toLayer(() =>
        Effect.all(
          [
            Activity.make({ name: "never ends", execute: Effect.never }),
            Effect.gen(function* () {
              yield* Activity.make({ name: "look", execute: tell("looked") });
              yield* Activity.make({ name: "reserve", execute: tell("reserved") }).pipe(
                Book.withCompensation(() =>
                  Activity.make({ name: "release", execute: tell("released") }),
                ),
              );
              yield* DurableDeferred.await(gate);
            }),
          ],
          { concurrency: "unbounded" },
        ),
      );
      const killed = yield* world.start(layer, "frozen");
      const executionId = yield* killed.run(Book.execute({ id: "a" }, { discard: true }));
      yield* settle;
      // The results wait for a companion, and are stored without one.
      yield* TestClock.adjust("1 second");
      yield* settle;
      yield* killed.kill;
      yield* TestClock.adjust("2 minutes");

      const process = yield* world.start(layer, "frozen");
      yield* process.run(Book.interrupt(executionId));
      const waking = yield* Effect.forkChild(
        process.run(
          ExecutionRunner.use((runner) =>
            runner.wake({ workflow: "Book", executionId }, "explicit"),
          ),
        ),
      );
      yield* settle;
      // The branch that stops first looks again whether the other has come as far as the history goes.
      yield* TestClock.adjust("1 second");
      const { state } = yield* Fiber.join(waking);
      assert.deepStrictEqual(yield* Ref.get(told), ["looked", "reserved", "released"]);
      assert.isDefined(state.completed);
    }),
  );
});
