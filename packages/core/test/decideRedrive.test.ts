/**
 * Goal: what a redrive forgets is what failed last and what came of it; never a success from before.
 * Method: histories written by hand, one line per event, for the cases that a run reproduces only by chance.
 */
import { assert, describe, it } from "@effect/vitest";
import type { Commit, HistoryEvent } from "@millrace/core";
import { Result } from "effect";
import { decideRedrive } from "../src/decideRedrive.ts";

const success = { _tag: "Complete", exit: { _tag: "Success", value: null } };
const failure = {
  _tag: "Complete",
  exit: { _tag: "Failure", cause: [{ _tag: "Fail", error: { _tag: "Broken" } }] },
};

const started: HistoryEvent = {
  _tag: "ExecutionStarted",
  workflow: "W",
  idempotencyKey: "k",
  payload: {},
  payloadHash: "",
  atEpochMs: 0,
};
const run: HistoryEvent = {
  _tag: "RunStarted",
  owner: "o",
  codeVersion: "1",
  leaseUntilEpochMs: 0,
  atEpochMs: 0,
};
const suspended: HistoryEvent = { _tag: "Suspended", result: {}, failed: false, atEpochMs: 0 };
const failed: HistoryEvent = { _tag: "Completed", result: failure, atEpochMs: 0 };

const activity = (
  name: string,
  attempt: number,
  startedAfter: number | undefined,
  result: unknown,
  role?: "compensation" | "failure-handler",
  undoes?: ReadonlyArray<string>,
): HistoryEvent => ({
  _tag: "ActivityCompleted",
  name,
  attempt,
  result,
  ...(startedAfter !== undefined && { startedAfter }),
  ...(role && { role }),
  ...(undoes && { undoes }),
  startedAtEpochMs: 0,
  atEpochMs: 0,
});
const deferred = (name: string, exit: unknown = success.exit): HistoryEvent => ({
  _tag: "DeferredDone",
  name,
  exit,
  atEpochMs: 0,
});
const clock = (name: string): HistoryEvent => ({
  _tag: "ClockScheduled",
  name,
  deferred: `DurableClock/${name}`,
  wakeAtEpochMs: 0,
  atEpochMs: 0,
});

/** What the redrive of a history with these events after its start (1) and run (2) forgets. */
const forgottenOf = (...events: ReadonlyArray<HistoryEvent>) => {
  const all: readonly [HistoryEvent, ...ReadonlyArray<HistoryEvent>] = [started, run, ...events];
  const history: ReadonlyArray<Commit> = [
    { executionId: "e", commit: 1, writer: "w", events: all },
  ];
  const decided = decideRedrive(history, {
    executionId: "e",
    reason: "r",
    atEpochMs: 0,
    failedChildren: new Set(["c"]),
  });
  assert.isTrue(Result.isSuccess(decided));
  const { children, event } = Result.getOrThrow(decided);
  return {
    activities: event.forget.activities.map(({ attempt, name }) => `${name} ${attempt}`),
    clocks: event.forget.clocks,
    deferreds: event.forget.deferreds,
    children,
  };
};

const nothing = { activities: [], clocks: [], deferreds: [], children: [] };

describe("a redrive forgets", () => {
  it("nothing that succeeded beside the retries of the step that failed", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("failing", 1, 2, failure), // 3
        activity("before", 1, 2, success), // 4
        clock("failing before attempt 2"), // 5
        activity("between", 1, 4, success), // 6: began after the first failure, and has nothing to do with it
        deferred("DurableClock/failing before attempt 2"), // 7
        activity("failing", 2, 7, failure), // 8
        failed,
      ),
      {
        ...nothing,
        activities: ["failing 1", "failing 2"],
        clocks: ["failing before attempt 2"],
        deferreds: ["DurableClock/failing before attempt 2"],
      },
    );
  });

  it("steps whose work was taken back after the failure", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("other", 1, 2, success), // 3
        activity("part 1", 1, 3, success), // 4
        activity("part 2", 1, 4, failure), // 5
        activity("discard", 1, 5, success, "failure-handler", ["part 1", "part 2"]),
        failed,
      ),
      { ...nothing, activities: ["part 1 1", "part 2 1", "discard 1"] },
    );
  });

  it("what began after the last attempt had failed, whoever began it", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("failing", 1, 2, failure), // 3
        activity("sibling", 1, 2, success), // 4: began before
        activity("fallback", 1, 4, success), // 5
        clock("pause"), // 6
        deferred("signal"), // 7: from outside
        failed,
      ),
      {
        ...nothing,
        activities: ["failing 1", "fallback 1"],
        clocks: ["pause"],
      },
    );
  });

  it("all that failed side by side, but not what had failed before they began", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("caught", 1, 2, failure), // 3
        activity("left", 1, 3, failure), // 4
        activity("right", 1, 3, failure), // 5
        failed,
      ).activities,
      ["left 1", "right 1"],
    );
  });

  it("of a step that succeeded in the end none of its failed attempts", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("retried", 1, 2, failure), // 3
        activity("retried", 2, 3, success), // 4
        activity("failing", 1, 2, failure), // 5: began beside it
        failed,
      ).activities,
      ["failing 1"],
    );
  });

  it("those who told of a failure, and their pauses, even where no step failed", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("step", 1, 2, success), // 3
        activity("DeadLetter", 1, 3, failure, "failure-handler"), // 4
        activity("DurableClock/DeadLetter before attempt 2", 1, 4, success), // 5
        activity("DeadLetter", 2, 5, success, "failure-handler"), // 6
        failed,
      ).activities,
      ["DeadLetter 1", "DurableClock/DeadLetter before attempt 2 1", "DeadLetter 2"],
    );
  });

  it("the step that failed, even where those who told of it failed, too", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("step", 1, 2, failure), // 3
        activity("DeadLetter", 1, 3, failure, "failure-handler"), // 4
        failed,
      ).activities,
      ["step 1", "DeadLetter 1"],
    );
  });

  it("a failure from outside, with what the body did about it", () => {
    assert.deepStrictEqual(
      forgottenOf(
        deferred("approval", failure.exit), // 3
        activity("notify", 1, 3, success), // 4
        failed,
      ),
      { ...nothing, activities: ["notify 1"], deferreds: ["approval"] },
    );
  });

  it("a race that was lost, with the steps that ran in it", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("a", 1, 2, failure), // 3
        activity("b", 1, 2, failure), // 4
        deferred("Activity/race", failure.exit), // 5
        failed,
      ),
      { ...nothing, activities: ["a 1", "b 1"], deferreds: ["Activity/race"] },
    );
  });

  it("a child that failed, but no failure after which the body had gone on to wait for it", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("caught", 1, 2, failure), // 3
        suspended, // 4
        deferred("Child/c"), // 5
        deferred("Child/good"), // 6
        failed,
      ),
      { ...nothing, deferreds: ["Child/c"], children: ["c"] },
    );
  });

  it("by places alone where a history does not tell when its steps began", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("one", 1, undefined, success),
        activity("caught", 1, undefined, failure),
        activity("two", 1, undefined, failure),
        activity("notify", 1, undefined, success),
        failed,
      ).activities,
      ["two 1", "notify 1"],
    );
  });

  it("only what still counts, after a redrive before", () => {
    assert.deepStrictEqual(
      forgottenOf(
        activity("one", 1, 2, failure), // 3
        failed, // 4
        {
          _tag: "Redriven",
          reason: "r",
          forget: { activities: [{ name: "one", attempt: 1 }], clocks: [], deferreds: [] },
          atEpochMs: 0,
        }, // 5
        run, // 6
        activity("one", 1, 6, success), // 7
        activity("two", 1, 7, failure), // 8
        failed,
      ).activities,
      ["two 1"],
    );
  });
});
