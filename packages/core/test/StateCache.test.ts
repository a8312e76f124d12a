/**
 * What a process keeps of executions that it ran: enough to load only the news, never so much that it grows.
 */
import { assert, describe, it } from "@effect/vitest";
import { type ExecutionState, foldCommits } from "../src/ExecutionState.ts";
import { StateCache } from "../src/StateCache.ts";

const stateOf = (executionId: string, text = "", completed = false): ExecutionState =>
  foldCommits([
    {
      executionId,
      commit: 1,
      writer: "w",
      events: [
        {
          _tag: "ActivityCompleted",
          name: "step",
          attempt: 1,
          result: { _tag: "Complete", exit: { _tag: "Success", value: [{ text }] } },
          startedAtEpochMs: 0,
          atEpochMs: 0,
        },
        ...(completed ? [{ _tag: "Completed" as const, result: null, atEpochMs: 0 }] : []),
      ],
    },
  ]);

const kept = (cache: StateCache, ids: ReadonlyArray<string>) =>
  ids.filter((id) => cache.find(id).commit === 1);

describe("a cache of states", () => {
  it("hands out copies, so that a run changes nobody else's state", () => {
    const cache = new StateCache();
    cache.keep("a", stateOf("a"));
    const first = cache.find("a");
    first.activities.clear();
    first.commit = 7;
    assert.deepStrictEqual(cache.find("a"), stateOf("a"));
  });

  it("lets go of the least recently kept when it would hold too much", () => {
    const cache = new StateCache(3_500);
    for (const id of ["a", "b", "c"]) cache.keep(id, stateOf(id, "x".repeat(200)));
    assert.deepStrictEqual(kept(cache, ["a", "b", "c"]), ["a", "b", "c"]);
    cache.keep("a", stateOf("a", "x".repeat(200)));
    cache.keep("d", stateOf("d", "x".repeat(200)));
    assert.deepStrictEqual(kept(cache, ["a", "b", "c", "d"]), ["a", "c", "d"]);
    cache.keep("huge", stateOf("huge", "x".repeat(20_000)));
    assert.deepStrictEqual(kept(cache, ["a", "c", "d", "huge"]), ["a", "c", "d"]);
  });

  it("lets go of what has ended", () => {
    const cache = new StateCache();
    cache.keep("a", stateOf("a"));
    cache.keep("a", stateOf("a", "", true));
    assert.deepStrictEqual(kept(cache, ["a"]), []);
  });
});
