/**
 * Kills a worker process now and then, in the middle of an invocation.
 *
 * The next one is spared until everything that was under way at a kill has ended: so no message is taken three times by
 * workers that are killed, which the queue would give up.
 */
import type { Prng } from "@millrace/core/testing/simulation";
import { Deferred, Effect, Schedule } from "effect";
import { SoakWorld } from "./SoakWorld.ts";

/** Between the end of what a kill has met and the next kill, in milliseconds. */
const pauseMsMax = 2_000;
/** How long after the beginning of an invocation a kill falls, in milliseconds. */
const strikeMsMax = 60;

/** Kills for ever; tells of each. */
export const killWorkers = Effect.fnUntraced(function* (prng: Prng, onKill: () => void) {
  const { lines, watchers } = yield* SoakWorld;
  return yield* Effect.forever(
    Effect.gen(function* () {
      const begun = yield* Deferred.make<number>();
      const watcher = (pid: number) => Deferred.doneUnsafe(begun, Effect.succeed(pid));
      watchers.add(watcher);
      const pid = yield* Deferred.await(begun);
      watchers.delete(watcher);
      yield* Effect.sleep(prng.between(0, strikeMsMax));
      const met = lines.outstanding;
      // One that has just ended by itself is gone already.
      const killed = yield* Effect.sync(() => process.kill(pid, "SIGKILL")).pipe(
        Effect.catchDefect(() => Effect.succeed(false)),
      );
      lines.alive.delete(pid);
      if (killed) onKill();
      yield* Effect.sync(() => [...met].some((object) => lines.isOutstanding(object))).pipe(
        Effect.repeat({ until: (some) => !some, schedule: Schedule.spaced("100 millis") }),
      );
      yield* Effect.sleep(prng.between(0, pauseMsMax));
    }),
  );
});
