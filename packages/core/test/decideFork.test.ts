/**
 * What a fork takes over of a history, written by hand: places are those of the new history, and what only concerned
 * the old one stays there.
 */
import { assert, describe, it } from "@effect/vitest";
import type { HistoryEvent } from "@millrace/core";
import { Result } from "effect";
import { decideFork } from "../src/decideFork.ts";

const at = { startedAtEpochMs: 0, atEpochMs: 0 };
const success = { _tag: "Success", value: null };
const step = (name: string, startedAfter: number): HistoryEvent => ({
  _tag: "ActivityCompleted",
  name,
  attempt: 1,
  result: { _tag: "Complete", exit: success },
  startedAfter,
  ...at,
});

const signal = (name: string): HistoryEvent => ({
  _tag: "DeferredDone",
  name,
  exit: success,
  atEpochMs: 0,
});
const nap: HistoryEvent = {
  _tag: "ClockScheduled",
  name: "nap",
  deferred: "DurableClock/nap",
  wakeAtEpochMs: 9,
  atEpochMs: 0,
};

const events: readonly [HistoryEvent, ...ReadonlyArray<HistoryEvent>] = [
  signal("early signal"),
  {
    _tag: "ExecutionStarted",
    workflow: "W",
    idempotencyKey: "k",
    payload: { n: 1 },
    payloadHash: "h",
    version: 3,
    parent: { workflow: "P", executionId: "p" },
    atEpochMs: 0,
  },
  { _tag: "RunStarted", owner: "o", codeVersion: "1", leaseUntilEpochMs: 0, atEpochMs: 0 },
  step("one", 3), // 4
  signal("Child/c"),
  nap,
  { _tag: "Suspended", result: {}, failed: false, atEpochMs: 0 },
  { _tag: "InterruptRequested", unsafe: false, atEpochMs: 0 },
  signal("DurableClock/nap"), // 9
  step("two", 9), // 10
];

const fork = (afterEvent: number) =>
  Result.getOrThrow(
    decideFork([{ executionId: "e", commit: 1, writer: "w", events }], {
      executionId: "e",
      afterEvent,
      atEpochMs: 7,
    }),
  );

describe("a fork takes over", () => {
  it("steps, sleeps and signals, renumbered; no told ends of children, runs or requests", () => {
    const { facts, started } = fork(10);
    assert.deepStrictEqual(facts, [
      signal("early signal"),
      step("one", 1),
      nap,
      signal("DurableClock/nap"),
      step("two", 4),
    ]);
    assert.deepStrictEqual(started, {
      _tag: "ExecutionStarted",
      workflow: "W",
      idempotencyKey: "k (fork after event 10 of e)",
      payload: { n: 1 },
      payloadHash: "h",
      version: 3,
      forkedFrom: { executionId: "e", event: 10 },
      atEpochMs: 7,
    });
  });

  it("nothing from after its event", () => {
    assert.deepStrictEqual(fork(4).facts, [signal("early signal"), step("one", 1)]);
    assert.deepStrictEqual(fork(6).facts, [signal("early signal"), step("one", 1), nap]);
  });
});
