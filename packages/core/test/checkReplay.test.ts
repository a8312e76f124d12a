/**
 * Stored histories against the code of today.
 */
import { assert, describe, it } from "@effect/vitest";
import { checkReplay, type Commit } from "@millrace/core";
import { Effect, Layer, Ref, Schema } from "effect";
import { Activity, DurableClock, Workflow, type WorkflowEngine } from "effect/workflow";
import { makeWorld } from "./engineWorld.ts";

const payload = { id: Schema.String };
const idempotencyKey = ({ id }: { readonly id: string }) => id;

const Child = Workflow.make("Child", { payload, success: Schema.String, idempotencyKey });
const Parent = Workflow.make("Parent", {
  payload,
  success: Schema.String,
  error: Schema.String,
  idempotencyKey,
});

const layerChild = (ran: Ref.Ref<number>) =>
  Child.toLayer(() =>
    Activity.make({
      name: "cut",
      success: Schema.String,
      execute: Effect.as(
        Ref.update(ran, (n) => n + 1),
        "cut",
      ),
    }),
  );

type Body = (
  step: (name: string) => Effect.Effect<string, never, Needs>,
) => Effect.Effect<string, string, Needs>;
type Needs = WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance;

const layerParent = (ran: Ref.Ref<number>, body: Body) =>
  Parent.toLayer(() =>
    body((name) =>
      Activity.make({
        name,
        success: Schema.String,
        execute: Effect.as(
          Ref.update(ran, (n) => n + 1),
          name,
        ),
      }),
    ),
  );

const original: Body = (step) =>
  Effect.gen(function* () {
    const a = yield* step("a");
    yield* DurableClock.sleep({ name: "nap", duration: 5, inMemoryThreshold: 0 });
    const child = yield* Child.execute({ id: "c" });
    return `${a} ${child}`;
  });

const failing: Body = (step) => Effect.andThen(step("a"), Effect.fail("no"));

/** Runs `original` to its end; answers with the histories of parent and child, and how to check them. */
const recorded = (body: Body = original) =>
  Effect.gen(function* () {
    const world = yield* makeWorld;
    const ran = yield* Ref.make(0);
    const process = yield* world.start(Layer.merge(layerParent(ran, body), layerChild(ran)));
    yield* Effect.exit(process.run(Parent.execute({ id: "p" })));
    const ids = [yield* Parent.executionId({ id: "p" }), yield* Child.executionId({ id: "c" })];
    const histories = new Map<string, ReadonlyArray<Commit>>();
    for (const id of ids) {
      const commits = yield* world.journal.load(id, 0);
      if (commits.length > 0) histories.set(id, commits);
    }
    const steps = yield* Ref.get(ran);
    const check = (now: Body, shown: ReadonlyMap<string, ReadonlyArray<Commit>> = histories) =>
      Effect.gen(function* () {
        const checks = yield* checkReplay(
          shown,
          Layer.merge(layerParent(ran, now), layerChild(ran)),
        );
        assert.strictEqual(yield* Ref.get(ran), steps, "a check must run no step");
        return checks.map(({ verdict, workflow }) => ({ workflow, verdict }));
      });
    return { check, histories, ids };
  });

/** Somebody paused it at last. */
const withPause = (commits: ReadonlyArray<Commit>): ReadonlyArray<Commit> => {
  const last = commits.at(-1);
  if (!last) return [];
  const events: Commit["events"] = [{ _tag: "Paused", reason: "a look at it", atEpochMs: 0 }];
  return [...commits, { ...last, commit: last.commit + 1, events }];
};

describe("a check of stored histories", () => {
  it.live("agrees with the code that made them, and runs nothing", () =>
    Effect.gen(function* () {
      const { check } = yield* recorded();
      const checks = yield* check(original);
      assert.deepStrictEqual(checks, [
        { workflow: "Parent", verdict: { _tag: "Agrees" } },
        { workflow: "Child", verdict: { _tag: "Agrees" } },
      ]);
    }),
  );

  it.live("agrees with a history that is still on its way, wherever it was cut", () =>
    Effect.gen(function* () {
      const { check, histories, ids } = yield* recorded();
      const [parent = "", child = ""] = ids;
      const commits = histories.get(parent) ?? [];
      for (let length = 1; length <= commits.length; length++) {
        const shown = new Map([
          [parent, commits.slice(0, length)],
          [child, histories.get(child) ?? []],
        ]);
        const [first] = yield* check(original, shown);
        assert.deepStrictEqual(first?.verdict, { _tag: "Agrees" }, `cut after commit ${length}`);
      }
    }),
  );

  it.live("looks at what is paused, too", () =>
    Effect.gen(function* () {
      const { check, histories } = yield* recorded();
      const paused = new Map([...histories].map(([id, commits]) => [id, withPause(commits)]));
      for (const { verdict } of yield* check(original, paused)) {
        assert.deepStrictEqual(verdict, { _tag: "Agrees" });
      }
      const [first] = yield* check((step) => step("renamed"), paused);
      assert.strictEqual(first?.verdict._tag, "Diverges");
    }),
  );

  it.live("names the step that the code of today leaves out, renames or adds", () =>
    Effect.gen(function* () {
      const { check } = yield* recorded();
      const renamed = yield* check((step) => Effect.andThen(step("a'"), original(step)));
      assert.strictEqual(renamed[0]?.verdict._tag, "Diverges");
      assert.include(JSON.stringify(renamed[0]?.verdict), "a'");
      const added = yield* check((step) => Effect.tap(original(step), step("more")));
      assert.strictEqual(added[0]?.verdict._tag, "Diverges");
      assert.include(JSON.stringify(added[0]?.verdict), "more");
    }),
  );

  it.live("notices another end after the same steps", () =>
    Effect.gen(function* () {
      const { check } = yield* recorded();
      const [parent] = yield* check((step) => Effect.map(original(step), (text) => `${text}!`));
      assert.strictEqual(parent?.verdict._tag, "EndsOtherwise");
      const [refused] = yield* check((step) => Effect.andThen(original(step), Effect.fail("no")));
      assert.strictEqual(refused?.verdict._tag, "EndsOtherwise");
    }),
  );

  it.live("agrees with a failure that fails again", () =>
    Effect.gen(function* () {
      const { check } = yield* recorded(failing);
      const [parent] = yield* check(failing);
      assert.deepStrictEqual(parent?.verdict, { _tag: "Agrees" });
    }),
  );

  it.live("says which child's history is missing", () =>
    Effect.gen(function* () {
      const { check, histories, ids } = yield* recorded();
      const [parent = "", child = ""] = ids;
      const [first] = yield* check(original, new Map([[parent, histories.get(parent) ?? []]]));
      assert.strictEqual(first?.verdict._tag, "Unknown");
      assert.include(JSON.stringify(first?.verdict), child);
    }),
  );
});
