/**
 * How fast an operator's command may work: so many actions a second, evenly, whatever it works on.
 *
 * A replay or a backfill is paced where it begins. Sent as fast as it can be read, it would fill the queues, throttle
 * the tables and then be retried: the same events several times over, and new uploads behind all of them.
 */
import { Clock, Effect, Option } from "effect";

/** Reads `50`, `50/s` or `600/m` as actions a second. */
export const parseRate = (text: string): Option.Option<number> => {
  const [, amount, unit] = /^(\d{1,6}(?:\.\d{1,3})?)(?:\/([smh]))?$/.exec(text) ?? [];
  const perSecond = Number(amount) / secondsOf(unit);
  return perSecond > 0 && Number.isFinite(perSecond) ? Option.some(perSecond) : Option.none();
};

const secondsOf = (unit: string | undefined): number =>
  unit === "h" ? 3_600 : unit === "m" ? 60 : 1;

/**
 * Waits for the next turn; shared by all who act. Turns that nobody took are not made up for: a pause is followed by
 * the same rate, not by a burst.
 */
export const makePace = (perSecond: number): Effect.Effect<Effect.Effect<void>> =>
  Effect.sync(() => {
    const intervalMs = 1_000 / perSecond;
    let nextEpochMs = 0;
    return Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis;
      const turn = Math.max(now, nextEpochMs);
      nextEpochMs = turn + intervalMs;
      if (turn > now) yield* Effect.sleep(turn - now);
    });
  });

/** Actions under way at the same time: enough for some hundred a second at 20 ms each. */
const actionsAtOnce = 8;

/**
 * Acts on each of many things, at most `perSecond` of them a second. An action that has begun is finished even when the
 * whole is interrupted, so that nothing is left half done.
 */
export const forEachPaced = Effect.fnUntraced(function* <A, E, R>(
  items: Iterable<A>,
  perSecond: number,
  act: (item: A) => Effect.Effect<void, E, R>,
) {
  const turn = yield* makePace(perSecond);
  yield* Effect.forEach(items, (item) => Effect.andThen(turn, Effect.uninterruptible(act(item))), {
    concurrency: actionsAtOnce,
    discard: true,
  });
});
