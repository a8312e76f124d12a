/**
 * The engine under seeded faults: 300 seeds on every test run; `npm run sim` does many more.
 */
import { assert, describe, it } from "vitest";
import { lowRates, planOf } from "./planOf.ts";
import { runSeeds } from "./runSeeds.ts";
import { simulate, type SimulationResult } from "./simulate.ts";

/** Requests and invocations per execution. */
const cost = async (plan: Parameters<typeof simulate>[0]["plan"]) => {
  let [executions, requests, invocations] = [0, 0, 0];
  for (let seed = 1; seed <= 40; seed++) {
    const result = await simulate({ seed, plan });
    executions += result.executions;
    requests += result.requests;
    invocations += result.invocations;
  }
  return { requests: requests / executions, invocations: invocations / executions };
};

describe("the engine in a seeded world", () => {
  it("keeps every invariant for 300 seeds", async () => {
    const results: Array<SimulationResult> = [];
    const task = { from: 1, to: 301, historyMax: 400, stopAtViolation: false, threads: 2 };
    await runSeeds(task, (result) => void results.push(result));
    assert.strictEqual(results.length, 300);
    const bad = results.filter(({ violations }) => violations.length > 0);
    const told = bad.map(
      ({ history, seed, violations }) =>
        `seed ${seed}: ${JSON.stringify(violations)}\n${history.slice(-40).join("\n")}`,
    );
    assert.deepStrictEqual(told, []);
    // A world in which nothing happens keeps every invariant too.
    const executions = results.reduce((sum, result) => sum + result.executions, 0);
    const faults = results.reduce((sum, result) => sum + result.faults.length, 0);
    assert.isAbove(executions, 900);
    assert.isAbove(faults, 900);
    // Sleeps beyond a queue's delay are among them: one for five executions, at least.
    const schedules = results.reduce((sum, result) => sum + result.schedules, 0);
    assert.isAbove(schedules, executions / 5);
  });

  it("runs the same for the same seed", async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const first = await simulate({ seed, plan: planOf(seed) });
      const again = await simulate({ seed, plan: planOf(seed) });
      assert.deepStrictEqual(
        [again.traceHash, again.steps, again.requests],
        [first.traceHash, first.steps, first.requests],
        `seed ${seed}`,
      );
    }
  });

  it("runs differently for another seed", async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      hashes.add((await simulate({ seed, plan: { _tag: "None" } })).traceHash);
    }
    assert.strictEqual(hashes.size, 20);
  });

  it("costs at most 1.3 times as much at low fault rates as without faults", async () => {
    const calm = await cost({ _tag: "None" });
    const low = await cost(lowRates);
    assert.isAtMost(low.requests / calm.requests, 1.3);
    assert.isAtMost(low.invocations / calm.invocations, 1.3);
  });
});
