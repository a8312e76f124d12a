/**
 * The cost of files: every line is its counts times its prices, and nothing is forgotten when a count changes.
 */
import { assert, describe, it } from "@effect/vitest";
import { costAtRest, costOfFiles, sumOf, type Usage } from "../src/cost/costOf.ts";

const million: Usage = {
  filesPerMonth: 1_000_000,
  secondsPerFile: 1,
  memoryMb: 1_024,
  architecture: "arm64",
  batch: 1,
  readsPerFile: 2,
  writesPerFile: 1,
  logKbPerFile: 1,
  taskCpuHours: 0,
  taskGbHours: 0,
};

const lineOf = (usage: Usage, what: string): number =>
  costOfFiles(usage).find((line) => line.what === what)?.usd ?? Number.NaN;

describe("the cost of a million files", () => {
  it("is the sum that the list prices give", () => {
    // 1 GB-second each at 13.3334 USD a million, and a request at 0.20.
    assert.approximately(lineOf(million, "functions"), 13.5334, 0.001);
    // Six write units at 0.625 and one read unit at 0.125.
    assert.approximately(lineOf(million, "journal"), 3.875, 0.001);
    assert.approximately(lineOf(million, "index"), 1.875, 0.001);
    // An event at 1, two announcements at 1, 1.2 requests at 0.40, a publish at 0.50.
    assert.approximately(lineOf(million, "events and queues"), 3.98, 0.001);
    // Two reads at 0.40 and a write at 5.
    assert.approximately(lineOf(million, "objects"), 5.8, 0.001);
    // A gigabyte at 0.50.
    assert.approximately(lineOf(million, "logs"), 0.5, 0.001);
  });

  it("grows with the files, and with nothing else when they are none", () => {
    const twice = { ...million, filesPerMonth: 2_000_000 };
    assert.approximately(sumOf(costOfFiles(twice)), 2 * sumOf(costOfFiles(million)), 0.001);
    assert.strictEqual(sumOf(costOfFiles({ ...million, filesPerMonth: 0 })), 0);
    assert.isAbove(sumOf(costAtRest()), 0);
  });

  it("is higher on x86, and lower for requests in batches", () => {
    assert.isAbove(lineOf({ ...million, architecture: "x86_64" }, "functions"), 16);
    assert.approximately(lineOf({ ...million, batch: 10 }, "functions"), 13.3534, 0.001);
  });

  it("counts tasks by the hour", () => {
    const tasks = { ...million, taskCpuHours: 10, taskGbHours: 40 };
    assert.approximately(lineOf(tasks, "tasks"), 0.4048 + 0.1778, 0.001);
  });
});
