/**
 * Goal: what a run cost, and what size would have been enough, follow from its history alone.
 * Method: histories written down, with sums done by hand.
 */
import { assert, describe, it } from "@effect/vitest";
import type { Commit, HistoryEvent } from "@millrace/core";
import { pipelines } from "@millrace/workflows/topology";
import { compareCompute } from "../src/cost/compareCompute.ts";
import { costOfRun, costOfTask, renderRunCost } from "../src/cost/costOfRun.ts";

const commitsOf = (events: ReadonlyArray<HistoryEvent>): ReadonlyArray<Commit> =>
  events.map((event, index) => ({
    executionId: "e",
    commit: index + 1,
    writer: "w",
    events: [event],
  }));

const run = (atEpochMs: number): HistoryEvent => ({
  _tag: "RunStarted",
  owner: "o",
  codeVersion: "c",
  leaseUntilEpochMs: 0,
  atEpochMs,
});
const suspended = (atEpochMs: number): HistoryEvent => ({
  _tag: "Suspended",
  result: {},
  failed: false,
  atEpochMs,
});
const launch = (number: number, spot: boolean, atEpochMs: number): HistoryEvent => ({
  _tag: "ActivityCompleted",
  name: `transform: launch ${number}`,
  attempt: 1,
  result: { exit: { _tag: "Success", value: { task: "t", child: "c", redrives: 0, spot } } },
  startedAtEpochMs: atEpochMs,
  atEpochMs,
});
const ended = (number: number, usage: object | undefined, atEpochMs: number): HistoryEvent => ({
  _tag: "DeferredDone",
  name: `Task/transform/${number}/0`,
  exit: { _tag: "Success", value: { toldBy: "task", exitCode: 0, ...(usage && { usage }) } },
  atEpochMs,
});

const usage = {
  seconds: 3_590,
  cpuSeconds: 3_590,
  memoryBytesMax: 1_000 * 1_048_576,
  cpuUnits: 2_048,
  memoryMb: 8_192,
  spot: false,
};

describe("the cost of a run", () => {
  it("is the time of its function's runs, and of each of its containers", () => {
    const history = commitsOf([
      run(0),
      launch(1, true, 1_000),
      suspended(2_000),
      ended(1, undefined, 31_000),
      run(31_000),
      launch(2, false, 32_000),
      suspended(32_000),
      ended(2, usage, 3_632_000),
      run(3_632_000),
      { _tag: "Completed", result: {}, atEpochMs: 3_633_000 },
    ]);
    const found = costOfRun(history, pipelines.csvToParquet);
    assert.strictEqual(found.functions.runs, 3);
    // Two seconds, one, and one, of 1,769 MB.
    assert.approximately(found.functions.gbSeconds, 4 * (1_769 / 1_024), 0.001);
    // 30 seconds count as a minute; an hour of 2 vCPU and 8 GB is 2 x 0.04048 + 8 x 0.004445.
    const hour = 0.08096 + 0.03556;
    assert.approximately(found.tasks[0]?.usd ?? 0, (hour / 60) * 0.3, 1e-9);
    assert.approximately(found.tasks[1]?.usd ?? 0, hour, 1e-9);
    assert.approximately(found.usd, found.functions.usd + hour * 1.005, 1e-9);
    // One processor and 1,000 MB with a quarter to spare: 1.25 vCPU, so two, which have at least 4 GB.
    assert.deepStrictEqual(found.suggestion, { cpuUnits: 2_048, memoryMb: 4_096 });
    const text = renderRunCost(found).join("\n");
    assert.include(text, "1000 MB of 8192");
    assert.include(text, "enough would be: 2 vCPU, 4096 MB");
  });

  it("of a child that ran in a container is its parent's", () => {
    const history = commitsOf([
      {
        _tag: "ExecutionStarted",
        workflow: "CsvTransformTask",
        idempotencyKey: "k",
        payload: {},
        payloadHash: "h",
        atEpochMs: 0,
      },
      run(0),
      { _tag: "Completed", result: {}, atEpochMs: 60_000 },
    ]);
    assert.strictEqual(costOfRun(history, pipelines.csvToParquet).usd, 0);
  });
});

describe("the comparison before choosing", () => {
  it("says what the rules choose, and what each would cost", () => {
    const small = compareCompute(1_000_000, pipelines.csvToParquet);
    assert.deepInclude(small.choice, { compute: "lambda", rule: "fits" });
    const [lambda, spot, list] = small.estimates;
    assert.isBelow(lambda?.usd ?? 1, spot?.usd ?? 0);
    assert.isBelow(spot?.usd ?? 1, list?.usd ?? 0);
  });

  it("a file that its function has no time for is not there", () => {
    const { choice, estimates } = compareCompute(20_000_000_000, pipelines.csvToParquet);
    assert.deepInclude(choice, { compute: "fargate", rule: "size" });
    assert.match(estimates[0]?.impossible ?? "", /900 seconds/);
    const hours = (40 + 20_000_000_000 / 9_000_000) / 3_600;
    assert.approximately(estimates[2]?.usd ?? 0, hours * (0.08096 + 0.03556), 1e-6);
  });

  it("a task is paid for a minute at least", () => {
    const size = { cpuUnits: 1_024, memoryMb: 2_048, spot: false };
    assert.strictEqual(costOfTask({ ...size, seconds: 1 }), costOfTask({ ...size, seconds: 60 }));
  });
});
