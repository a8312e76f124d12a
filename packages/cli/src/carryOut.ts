/**
 * Many actions of one command: paced, with a bar on a terminal, and a report at the end, however it ends.
 *
 * A command that is stopped (Ctrl-C) finishes the actions that it has begun, reports what it did, and ends with 130.
 */
import { Operations } from "@millrace/core";
import { Console, Effect, Exit } from "effect";
import { makeProgress } from "./Progress.ts";

/** Of a command that was stopped: 128 + SIGINT, as shells count. */
export const stoppedExitCode = 130;

/** Reports in any case; says on standard error when not all was done. */
export const reportAlways =
  (report: Effect.Effect<void>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onExit(effect, (exit) =>
      Effect.gen(function* () {
        yield* report;
        if (Exit.isSuccess(exit)) return;
        yield* Console.error(
          "millrace: stopped before the end: the same command goes on from here",
        );
        if (Exit.hasInterrupts(exit)) process.exitCode = stoppedExitCode;
      }),
    );

/** Acts on all items. `report` prints what has been done by then. */
export const carryOut = Effect.fnUntraced(function* <A, E, R>(
  items: ReadonlyArray<A>,
  options: {
    readonly label: string;
    readonly perSecond: number;
    readonly act: (item: A) => Effect.Effect<void, E, R>;
    readonly report: Effect.Effect<void>;
  },
) {
  const progress = yield* makeProgress(options.label, items.length);
  yield* Operations.forEachPaced(items, options.perSecond, (item) =>
    Effect.andThen(options.act(item), progress.advance(1)),
  ).pipe(Effect.ensuring(progress.clear), reportAlways(options.report));
});
