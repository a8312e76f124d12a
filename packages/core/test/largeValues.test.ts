/**
 * Values over 300 KB: beside the journal by reference, and back again, whoever asks.
 */
import { assert, describe, it } from "@effect/vitest";
import { ExecutionRunner, LargeValueLost } from "@millrace/core";
import { SqliteLargeValues } from "@millrace/core/sqlite";
import { LargeValues } from "@millrace/core";
import { Cause, Effect, Exit, Option, Ref, Schema } from "effect";
import { Activity, DurableDeferred, Workflow } from "effect/workflow";
import { makeWorld } from "./engineWorld.ts";

const big = (letter: string) => letter.repeat(400_000);

const gate = DurableDeferred.make("gate", { success: Schema.String });
const Big = Workflow.make("Big", {
  payload: { id: Schema.String, text: Schema.String },
  success: Schema.Struct({ lengths: Schema.Array(Schema.Int), text: Schema.String }),
  error: Schema.String,
  idempotencyKey: ({ id }) => id,
});

const layerBig = (runs: Ref.Ref<number>) =>
  Big.toLayer(
    Effect.fnUntraced(function* ({ text }) {
      const made = yield* Activity.make({
        name: "make",
        success: Schema.String,
        execute: Effect.as(
          Ref.update(runs, (n) => n + 1),
          big("r"),
        ),
      });
      const signal = yield* DurableDeferred.await(gate);
      return { lengths: [text.length, made.length, signal.length], text: made };
    }),
  );

const signal = (executionId: string, value: string) =>
  DurableDeferred.succeed(gate, {
    token: DurableDeferred.tokenFromExecutionId(gate, { workflow: Big, executionId }),
    value,
  });

describe("large values", () => {
  it.live("of every kind go beside the journal and come back in other processes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const runs = yield* Ref.make(0);
      const payload = { id: "a", text: big("p") };
      const executionId = yield* Big.executionId(payload);
      const first = yield* world.start(layerBig(runs), "frozen");
      yield* first.run(ExecutionRunner.use((runner) => runner.start(Big, payload)));
      yield* first.kill;
      const second = yield* world.start(layerBig(runs), "frozen");
      yield* second.run(signal(executionId, big("s")));
      const target = { workflow: "Big", executionId };
      yield* second.run(ExecutionRunner.use((runner) => runner.wake(target, "automatic")));
      yield* second.kill;
      const third = yield* world.start(layerBig(runs), "frozen");
      const polled = yield* third.run(Big.poll(executionId));
      assert.isTrue(Option.isSome(polled));
      if (
        Option.isSome(polled) &&
        polled.value._tag === "Complete" &&
        Exit.isSuccess(polled.value.exit)
      ) {
        const { lengths, text } = polled.value.exit.value;
        assert.deepStrictEqual(lengths, [400_000, 400_000, 400_000]);
        assert.strictEqual(text, big("r"));
      } else assert.fail(`not completed: ${JSON.stringify(polled)}`);
      assert.strictEqual(yield* Ref.get(runs), 1);
      const commits = yield* world.journal.load(executionId, 0);
      assert.isBelow(JSON.stringify(commits).length, 5_000);
      assert.strictEqual(world.values.size, 4);
    }),
  );

  it.live("a small value that looks like a reference is not taken for one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const forged = { "millrace/value": { sha256: "0".repeat(64), bytes: 1 } };
      const Forged = Workflow.make("Forged", {
        payload: { id: Schema.String },
        success: Schema.Unknown,
        idempotencyKey: ({ id }) => id,
      });
      const layer = Forged.toLayer(() =>
        Activity.make({ name: "a", success: Schema.Unknown, execute: Effect.succeed(forged) }),
      );
      const first = yield* world.start(layer);
      yield* first.run(Forged.execute({ id: "a" }));
      yield* first.kill;
      const second = yield* world.start(layer);
      assert.deepStrictEqual(yield* second.run(Forged.execute({ id: "a" })), forged);
    }),
  );

  it.live(
    "a value that is lost or changed stops the run with its hash, and nothing is recorded",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const runs = yield* Ref.make(0);
        const payload = { id: "a", text: "" };
        const executionId = yield* Big.executionId(payload);
        const first = yield* world.start(layerBig(runs), "frozen");
        yield* first.run(ExecutionRunner.use((runner) => runner.start(Big, payload)));
        const before = yield* world.journal.load(executionId, 0);
        for (const [sha256] of world.values) world.values.set(sha256, '"other"');
        const second = yield* world.start(layerBig(runs), "frozen");
        const target = { workflow: "Big", executionId };
        const exit = yield* Effect.exit(
          second.run(ExecutionRunner.use((runner) => runner.wake(target, "automatic"))),
        );
        assert.isTrue(Exit.isFailure(exit));
        if (Exit.isFailure(exit)) assert.instanceOf(Cause.squash(exit.cause), LargeValueLost);
        const after = yield* world.journal.load(executionId, before.length);
        assert.isFalse(after.some(({ events }) => events.some(({ _tag }) => _tag === "Completed")));
      }),
  );
});

describe("the SQLite store of large values", () => {
  it.effect("keeps equal values once, and says which one is missing", () =>
    Effect.gen(function* () {
      const values = yield* LargeValues;
      yield* values.put("a", "text");
      yield* values.put("a", "text");
      assert.strictEqual(yield* values.get("a"), "text");
      const missing = yield* Effect.flip(values.get("b"));
      assert.strictEqual(missing._tag, "LargeValueLost");
      assert.strictEqual(missing.sha256, "b");
    }).pipe(Effect.provide(SqliteLargeValues.layerSqlite(":memory:"))),
  );
});
