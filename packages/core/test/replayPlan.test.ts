/**
 * Goal: the plan of a replay counts what its steps then come to, whatever state the executions are in, and makes
 * nothing happen by itself.
 * Method: the real engine over one journal; events whose executions are missing, failed, finished, doubled or refused.
 */
import { assert, describe, it } from "@effect/vitest";
import { MessageQueue, type ObjectCreated, Operations, toEventText } from "@millrace/core";
import { Effect } from "effect";
import { Workflow } from "effect/workflow";
import { stoppedWorld } from "./stoppedWorld.ts";

const eventOf = (key: string): string =>
  toEventText({ bucket: "raw", key, etag: "e", sizeBytes: 1, sequencer: "1", eventEpochMs: 0 });

type World = Effect.Success<ReturnType<typeof stoppedWorld>>;

/** Objects called `a` start the world's execution, called `none` start nothing, all others an execution of their name. */
const planOf = (world: World, mode: Operations.ReplayMode, events: ReadonlyArray<string>) =>
  world.operate(
    Effect.gen(function* () {
      const planner = Operations.makeReplayPlan({
        mode,
        label: "again",
        executionsOf: ({ key }: ObjectCreated) =>
          Effect.succeed(
            key === "none"
              ? []
              : [{ pipeline: "p", executionId: key === "a" ? world.executionId : key }],
          ),
      });
      // Side by side, as they are read.
      yield* Effect.forEach(events, planner.take, { concurrency: 4, discard: true });
      return yield* planner.plan;
    }),
  );

/** Does the steps, and counts as the command does. */
const carryOut = Effect.fnUntraced(function* (world: World, plan: Operations.ReplayPlan) {
  const sent: Array<readonly [string, string]> = [];
  const counts: Record<string, number> = { ...Operations.beforeSteps(plan) };
  for (const step of plan.steps) {
    const outcome = yield* world.operate(
      Operations.carryOutReplay(step, {
        label: "again",
        queueOf: (name) => `queue of ${name}`,
      }).pipe(
        Effect.provideService(MessageQueue, {
          send: (queue, body) => Effect.sync(() => void sent.push([queue, body])),
        }),
      ),
    );
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return { counts, sent };
});

const events = [
  eventOf("a"),
  eventOf("lost"),
  eventOf("a"),
  eventOf("none"),
  "unreadable",
  eventOf("lost"),
];

const failedWorld = stoppedWorld(({ step }) => step("one"), ["one"]);

describe("the plan of a replay", () => {
  for (const [mode, expected] of [
    ["join", { started: 1, left: 1, redriven: 0, rerun: 0 }],
    ["failed", { started: 0, left: 1, redriven: 1, rerun: 0 }],
    ["rerun", { started: 1, left: 0, redriven: 0, rerun: 1 }],
  ] as const) {
    it.live(`counts in mode ${mode} what its steps come to`, () =>
      Effect.gen(function* () {
        const world = yield* failedWorld;
        const plan = yield* planOf(world, mode, events);
        assert.deepStrictEqual(plan.counts, {
          events: 6,
          ignored: 1,
          unreadable: 1,
          duplicates: 2,
          executions: 2,
          missing: 1,
          underWay: 0,
          finished: 0,
          failed: 1,
          rerunBefore: 0,
          refused: 0,
          ...expected,
        });
        assert.deepStrictEqual(yield* world.events, world.history);
        assert.deepStrictEqual(world.asked, []);
        const { counts, sent } = yield* carryOut(world, plan);
        assert.deepStrictEqual(counts, { ...plan.counts });
        assert.deepStrictEqual(
          sent,
          expected.started === 1 ? [["queue of p", eventOf("lost")]] : [],
        );
      }),
    );
  }

  it.live("finds nothing left to do once its redrives and reruns are made", () =>
    Effect.gen(function* () {
      const world = yield* failedWorld;
      const again = yield* planOf(world, "rerun", [eventOf("a")]);
      yield* carryOut(world, again);
      assert.deepInclude((yield* planOf(world, "rerun", [eventOf("a")])).counts, {
        rerun: 0,
        rerunBefore: 1,
      });
      const failed = yield* planOf(world, "failed", [eventOf("a")]);
      yield* carryOut(world, failed);
      assert.deepInclude((yield* planOf(world, "failed", [eventOf("a")])).counts, {
        underWay: 1,
        redriven: 0,
        left: 1,
      });
      // A plan that was overtaken does nothing twice, and counts what it found.
      assert.deepInclude((yield* carryOut(world, failed)).counts, { redriven: 0, left: 1 });
      world.broken.clear();
      yield* world.deliver;
      assert.deepInclude((yield* planOf(world, "failed", [eventOf("a")])).counts, {
        finished: 1,
        redriven: 0,
      });
    }),
  );

  it.live("counts what may not be redriven as refused", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) =>
          Effect.andThen(
            step("reserve").pipe(Workflow.withCompensation(() => Effect.orDie(step("release")))),
            step("pay"),
          ),
        ["pay"],
      );
      const plan = yield* planOf(world, "failed", [eventOf("a")]);
      assert.deepInclude(plan.counts, { failed: 1, refused: 1, redriven: 0 });
      assert.deepStrictEqual(plan.steps, []);
      assert.deepInclude((yield* planOf(world, "rerun", [eventOf("a")])).counts, { rerun: 1 });
    }),
  );
});
