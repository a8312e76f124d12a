/**
 * Goal: a replay of many events leaves room for fresh ones: it adds little at a time, and only when what it added before
 * is nearly delivered.
 * Method: a replay over a state of its own, with no delivery but the test's; time by TestClock.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { TestClock } from "effect/testing";
import { DatabaseSync } from "node:sqlite";
import { EventState, type Replay } from "../src/eventbridge/EventState.ts";
import { makeReplays } from "../src/eventbridge/replays.ts";

const minuteMs = 60_000;
const startMs = 30 * minuteMs;
const event = '{"source":"acme"}';

const replay: Replay = {
  name: "r",
  archive: "a",
  bus: "default",
  filterArns: [],
  startMs,
  endMs: startMs + minuteMs,
  state: "STARTING",
  startedMs: startMs,
};

/** A state whose one rule takes all, with so many events in each of the seconds given. */
const stateWith = (perSecond: number, seconds: ReadonlyArray<number>): EventState => {
  const state = new EventState(new DatabaseSync(":memory:"));
  state.rules.put("default\nall", {
    name: "all",
    bus: "default",
    pattern: '{"source":["acme"]}',
    enabled: true,
    targets: [{ Id: "1", Arn: "arn:aws:sqs:us-east-1:000000000000:q" }],
  });
  state.archives.put("a", { name: "a", bus: "default", retentionDays: 0, createdMs: 0 });
  for (const second of seconds) {
    for (let n = 0; n < perSecond; n++) {
      state.archived.add("a", startMs + second * 1_000, event);
    }
  }
  return state;
};

/** Delivers all that is due; gives how many those were. */
const deliverAll = (state: EventState): number => {
  const due = state.outbox.due(Number.MAX_SAFE_INTEGER, 1_000);
  for (const { sequence } of due) state.outbox.remove(sequence);
  return due.length;
};

const begin = Effect.fnUntraced(function* (state: EventState) {
  const { start } = yield* makeReplays(state, Effect.void);
  yield* start(replay);
  yield* TestClock.adjust("1 second");
});

describe("a replay", () => {
  it.effect("gives a minute at once when there is little in it", () =>
    Effect.gen(function* () {
      const state = stateWith(20, [0, 1, 2]);
      yield* begin(state);
      assert.strictEqual(deliverAll(state), 60);
      yield* TestClock.adjust("1 second");
      assert.strictEqual(state.replays.get("r")?.state, "COMPLETED");
    }).pipe(Effect.scoped),
  );

  it.effect(
    "gives a full minute second by second, each when the one before is nearly delivered",
    () =>
      Effect.gen(function* () {
        const state = stateWith(60, [0, 1, 2]);
        yield* begin(state);
        for (const second of [0, 1, 2]) {
          assert.strictEqual(deliverAll(state), 60, `second ${second}`);
          yield* TestClock.adjust("1 second");
        }
        assert.strictEqual(deliverAll(state), 0);
        assert.strictEqual(state.replays.get("r")?.state, "COMPLETED");
      }).pipe(Effect.scoped),
  );
});
