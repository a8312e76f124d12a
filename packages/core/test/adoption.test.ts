/**
 * A process that is alone with its journal goes on with what an earlier one left open, without being asked.
 */
import { assert, describe, it } from "@effect/vitest";
import { Engine } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Effect, Exit, Layer, Option, Schema, Scope } from "effect";
import { TestClock } from "effect/testing";
import { Activity, DurableClock, Workflow, type WorkflowEngine } from "effect/workflow";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settle } from "./engineWorld.ts";

/** Starts a process over the file; closing its scope is its end. */
const startProcess = Effect.fnUntraced(function* (
  file: string,
  workflows: Layer.Layer<never, never, WorkflowEngine.WorkflowEngine>,
) {
  const engine = Layer.provide(Engine.layerInProcess(), SqliteJournal.layerSqlite(file));
  const scope = yield* Scope.make();
  const services = yield* Layer.buildWithScope(
    Layer.fresh(Layer.provideMerge(workflows, engine)),
    scope,
  );
  return { services, end: Scope.close(scope, Exit.void) };
});

const journalFile = () => join(mkdtempSync(join(tmpdir(), "millrace-adoption-")), "journal.sqlite");

const workflow = Workflow.make("Adopted", {
  payload: { id: Schema.String },
  success: Schema.Int,
  idempotencyKey: ({ id }) => id,
});

/** An activity that notes its name before it does its work. */
const step = (ran: Array<string>, name: string, execute: Effect.Effect<void>) =>
  Activity.make({
    name,
    execute: Effect.andThen(
      Effect.sync(() => ran.push(name)),
      execute,
    ),
  });

describe("a process that starts", () => {
  it.effect(
    "arms again the timer of an execution that sleeps, and finishes it when it is due",
    () =>
      Effect.gen(function* () {
        const file = journalFile();
        const layer = workflow.toLayer(() =>
          DurableClock.sleep({ name: "nap", duration: "2 hours" }).pipe(Effect.as(7)),
        );
        const first = yield* startProcess(file, layer);
        const id = yield* Effect.provideContext(
          workflow.execute({ id: "a" }, { discard: true }),
          first.services,
        );
        yield* settle;
        yield* first.end;

        const second = yield* startProcess(file, layer);
        yield* settle;
        yield* TestClock.adjust("2 hours");
        yield* settle;
        const result = yield* Effect.provideContext(workflow.poll(id), second.services);
        assert.deepStrictEqual(
          result,
          Option.some(new Workflow.Complete({ exit: Exit.succeed(7) })),
        );
        yield* second.end;
      }),
  );

  it.effect(
    "runs on what was interrupted in the middle, once the dead process's lease is over",
    () =>
      Effect.gen(function* () {
        const file = journalFile();
        const ran: Array<string> = [];
        const layer = (stuck: boolean) =>
          workflow.toLayer(() =>
            step(ran, "first", Effect.void).pipe(
              Effect.andThen(step(ran, "second", stuck ? Effect.never : Effect.void)),
              Effect.as(1),
            ),
          );
        const first = yield* startProcess(file, layer(true));
        const id = yield* Effect.provideContext(
          workflow.execute({ id: "b" }, { discard: true }),
          first.services,
        );
        yield* settle;
        yield* first.end;

        const second = yield* startProcess(file, layer(false));
        yield* settle;
        yield* TestClock.adjust("62 seconds");
        yield* settle;
        assert.deepStrictEqual(ran, ["first", "second", "second"]);
        const result = yield* Effect.provideContext(workflow.poll(id), second.services);
        assert.isTrue(Option.isSome(result) && result.value._tag === "Complete");
        yield* second.end;
      }),
  );
});
