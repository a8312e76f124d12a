/**
 * Replays: the events of an archive again, minute by minute in the order of their time, in the background.
 *
 * A full minute goes second by second, and nothing goes before what went earlier is nearly delivered: fresh events are
 * delivered in their turn with those of a replay, and must not wait for all of it.
 *
 * How far a replay has come is stored with what it caused, so one that was running when the process died goes on at
 * the next minute when it starts again.
 */
import { Clock, Effect, type Scope } from "effect";
import { transaction } from "../sqlite.ts";
import { ruleArn } from "./EventNames.ts";
import type { EventState, Replay } from "./EventState.ts";
import { expireArchive, replayedText, routeEvent } from "./ingest.ts";

const minuteMs = 60_000;
const secondMs = 1_000;
/** Between two steps of a replay, so that it leaves room for others and its progress can be seen. */
const pauseMs = 20;
/** A minute with more events than this goes second by second. */
const atOnceMax = 100;
/** A replay adds no more deliveries while so many are due: some tens of milliseconds of work. */
const dueMax = 50;

/** Starts the worker of a replay; `resume` does so for all that are not finished. */
export const makeReplays = Effect.fnUntraced(function* (
  state: EventState,
  wake: Effect.Effect<void>,
): Effect.fn.Return<
  { readonly start: (replay: Replay) => Effect.Effect<void> },
  never,
  Scope.Scope
> {
  const scope = yield* Effect.scope;
  const run = Effect.fnUntraced(function* (name: string) {
    while (true) {
      yield* Effect.sleep(pauseMs);
      const nowMs = yield* Clock.currentTimeMillis;
      const replay = state.replays.get(name);
      if (replay === undefined || !isActive(replay)) return;
      if (replay.state === "RUNNING" && state.outbox.due(nowMs, dueMax).length === dueMax) continue;
      transaction(state.database, () => state.replays.put(name, advance(state, replay, nowMs)));
      yield* wake;
    }
  });
  const start = (replay: Replay) =>
    Effect.sync(() => state.replays.put(replay.name, replay)).pipe(
      Effect.andThen(Effect.forkIn(run(replay.name), scope)),
      Effect.asVoid,
    );
  for (const replay of state.replays.all().filter(isActive)) yield* start(replay);
  return { start };
});

export const isActive = ({ state }: Replay): boolean =>
  state === "STARTING" || state === "RUNNING" || state === "CANCELLING";

/** The replay after its next step: a change of state, or one minute of events. */
const advance = (state: EventState, replay: Replay, nowMs: number): Replay => {
  if (replay.state === "CANCELLING") return { ...replay, state: "CANCELLED", endedMs: nowMs };
  if (replay.state === "STARTING") return { ...replay, state: "RUNNING" };
  const archive = state.archives.get(replay.archive);
  if (archive === undefined) {
    return { ...replay, state: "FAILED", stateReason: "The archive was deleted.", endedMs: nowMs };
  }
  expireArchive(state, archive, nowMs);
  const fromMs = replay.replayedMs ?? replay.startMs;
  const firstMs = state.archived.firstTimeMs(archive.name, fromMs, replay.endMs);
  if (firstMs === undefined) {
    return { ...replay, state: "COMPLETED", replayedMs: replay.endMs, endedMs: nowMs };
  }
  const endOf = (spanMs: number) =>
    Math.min(Math.floor(firstMs / spanMs) * spanMs + spanMs - 1, replay.endMs);
  const isFull = state.archived.count(archive.name, firstMs, endOf(minuteMs)) > atOnceMax;
  const toMs = endOf(isFull ? secondMs : minuteMs);
  for (const event of state.archived.between(archive.name, firstMs, toMs)) {
    const marked = replayedText(event, replay.name);
    routeEvent(state, replay.bus, marked, nowMs, ({ bus, name }) =>
      replay.filterArns.length === 0 ? true : replay.filterArns.includes(ruleArn(bus, name)),
    );
  }
  return { ...replay, replayedMs: toMs + 1 };
};
