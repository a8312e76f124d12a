/**
 * Goal: how a run stopped, and what the journal met, is counted once, under its own name.
 * Method: histories folded by hand for the stops; a real store, and a real engine, for what the journal meets.
 */
import { assert, describe, it } from "@effect/vitest";
import { type Commit, ExecutionRunner, type HistoryEvent, Journal, Metrics } from "@millrace/core";
import { Effect, Metric, Schema } from "effect";
import { Activity, Workflow } from "effect/workflow";
import { type ExecutionState, foldCommits } from "../src/ExecutionState.ts";
import { layerDynaliteJournal } from "./dynalite.ts";
import { makeWorld } from "./engineWorld.ts";

/** What an effect counts, in a registry of its own. */
const countedBy = <E, R>(effect: Effect.Effect<unknown, E, R>) =>
  Effect.andThen(effect, Metric.snapshot).pipe(
    Effect.map((snapshots) =>
      Object.fromEntries(
        snapshots.flatMap(({ id, state, type }): ReadonlyArray<readonly [string, number]> => {
          const count = type === "Counter" || type === "Histogram" ? Number(state.count) : 0;
          return count > 0 ? [[id, count]] : [];
        }),
      ),
    ),
    Effect.provideService(Metric.MetricRegistry, new Map()),
  );

const executionId = "e1";
const started: HistoryEvent = {
  _tag: "ExecutionStarted",
  workflow: "W",
  idempotencyKey: "k",
  payload: { object: { bucket: "b", key: "k", eventEpochMs: 1_000 } },
  payloadHash: "h",
  atEpochMs: 2_000,
};
const begun: HistoryEvent = {
  _tag: "RunStarted",
  owner: "o",
  codeVersion: "1",
  leaseUntilEpochMs: 9_000,
  atEpochMs: 2_000,
};
const succeeded: HistoryEvent = {
  _tag: "Completed",
  result: { _tag: "Complete", exit: { _tag: "Success", value: null } },
  atEpochMs: 5_000,
};
const failed: HistoryEvent = {
  _tag: "Completed",
  result: { _tag: "Complete", exit: { _tag: "Failure", cause: [] } },
  atEpochMs: 4_000,
};
const redriven: HistoryEvent = {
  _tag: "Redriven",
  reason: "test",
  forget: { activities: [], clocks: [], deferreds: [] },
  atEpochMs: 4_500,
};
const suspended = (isFailure: boolean): HistoryEvent => ({
  _tag: "Suspended",
  result: { _tag: "Suspended" },
  failed: isFailure,
  atEpochMs: 3_000,
});
const yielded: HistoryEvent = { _tag: "RunYielded", owner: "o", unfinished: [], atEpochMs: 3_000 };

const stateAfter = (...events: ReadonlyArray<HistoryEvent>): ExecutionState =>
  foldCommits([{ executionId, commit: 1, writer: "w", events: [started, ...events] }]);

/** A run that came to a stop which is in its history. */
const stopped = (state: ExecutionState, created = false) =>
  Metrics.countRun(
    { executionId, advance: { _tag: "Ended", result: new Workflow.Suspended({}) }, state },
    created,
  );

describe("the stop of a run", () => {
  const stops: ReadonlyArray<readonly [string, ExecutionState, Record<string, number>]> = [
    [
      "a success",
      stateAfter(begun, succeeded),
      { ExecutionsCompleted: 1, ExecutionMs: 1, EndToEndMs: 1 },
    ],
    [
      "a failure",
      stateAfter(begun, failed),
      { ExecutionsFailed: 1, ExecutionMs: 1, EndToEndMs: 1 },
    ],
    [
      "an end after a redrive, whose time from the upload would be the operator's",
      stateAfter(begun, failed, redriven, begun, succeeded),
      { ExecutionsCompleted: 1, ExecutionsRedriven: 1, ExecutionMs: 1 },
    ],
    ["a wait", stateAfter(begun, suspended(false)), { ExecutionsSuspended: 1 }],
    ["a wait for a person", stateAfter(begun, suspended(true)), { ExecutionsParked: 1 }],
    ["the end of the process's time", stateAfter(begun, yielded), { RunsYielded: 1 }],
  ];
  for (const [name, state, expected] of stops) {
    it.effect(`counts ${name}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* countedBy(stopped(state)), expected);
        const counted = yield* countedBy(stopped(state, true));
        assert.deepStrictEqual(counted, { ...expected, ExecutionsStarted: 1 });
      }),
    );
  }

  it.effect("counts runs that another process has, or took over", () =>
    Effect.gen(function* () {
      const state = stateAfter(begun);
      const reason = { _tag: "Leased", leaseUntilEpochMs: 9_000 } as const;
      const leased = { executionId, advance: { _tag: "NotRun", reason }, state } as const;
      const counted = yield* countedBy(Metrics.countRun(leased, false));
      assert.deepStrictEqual(counted, { LeasesMet: 1 });
      const fenced = { executionId, advance: { _tag: "Fenced" }, state } as const;
      const others = yield* countedBy(Metrics.countRun(fenced, false));
      assert.deepStrictEqual(others, { RunsFenced: 1 });
    }),
  );

  it.effect("a message's outcome is counted by its name, and none for what needs none", () =>
    Effect.gen(function* () {
      const outcomes = ["started", "joined", "resumed", "ignored", "superseded", "dead-lettered"];
      const all = Effect.forEach([...outcomes, "unneeded", "leased"], Metrics.countOutcome);
      assert.deepStrictEqual(yield* countedBy(all), {
        Uploads: 3,
        DuplicatesAbsorbed: 1,
        ExecutionsResumed: 1,
        ObjectsIgnored: 1,
        ObjectsSuperseded: 1,
        DeadLetters: 1,
      });
    }),
  );
});

describe("what the journal meets", () => {
  it.live("an own commit that a retry met is counted, and another's is not", () =>
    Effect.gen(function* () {
      const journal = yield* Journal;
      const commit: Commit = { executionId, commit: 1, writer: "w", events: [started] };
      assert.deepStrictEqual(yield* countedBy(journal.append(commit)), {});
      assert.deepStrictEqual(yield* countedBy(journal.append(commit)), { OwnWritesRecovered: 1 });
      const other = Effect.flip(journal.append({ ...commit, writer: "another" }));
      assert.deepStrictEqual(yield* countedBy(other), {});
    }).pipe(Effect.provide(layerDynaliteJournal)),
  );

  it.live("a commit number that another writer had first is counted as a conflict", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const workflow = Workflow.make("W", {
        payload: { id: Schema.String },
        idempotencyKey: ({ id }) => id,
      });
      const layer = workflow.toLayer((_, id) =>
        Activity.make({
          name: "step",
          execute: Effect.suspend(() =>
            // While the step runs another process takes the execution over.
            Effect.orDie(
              world.journal.append({
                executionId: id,
                commit: 2,
                writer: "another",
                events: [{ ...begun, owner: "another" }],
              }),
            ),
          ),
        }),
      );
      const process = yield* world.start(layer, "frozen");
      const run = ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" }));
      const counted = yield* countedBy(process.run(run));
      assert.deepStrictEqual(counted, { AppendConflicts: 1 });
    }).pipe(Effect.scoped),
  );
});
