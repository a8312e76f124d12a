/**
 * Adopts what an earlier process left behind, when its workflow is registered: overdue executions are run, timers that
 * are still to come are armed again, a lease that is alive is waited for.
 */
import { Effect, Option } from "effect";
import { askAgain } from "./askAgain.ts";
import { foldCommits } from "./ExecutionState.ts";
import type { Commit } from "./HistoryEvent.ts";
import { OpenExecutions } from "./OpenExecutions.ts";
import type { RunContext } from "./RunContext.ts";
import { overdueOf } from "./Sweeper.ts";

/** What adopts the open executions of a workflow; nothing where no store can tell which they are. */
export const makeAdoption: Effect.Effect<
  (context: RunContext, workflow: string) => Effect.Effect<void>
> = Effect.map(
  Effect.serviceOption(OpenExecutions),
  Option.match({
    onNone: () => () => Effect.void,
    onSome: (open) => (context, workflow) =>
      askAgain(open.list(workflow)).pipe(
        Effect.flatMap((ids) =>
          Effect.forEach(ids, (id) => adoptOne(context, workflow, id), { discard: true }),
        ),
        Effect.catchCause((cause) => Effect.logError("open executions not adopted", cause)),
      ),
  }),
);

const adoptOne = Effect.fnUntraced(function* (
  context: RunContext,
  workflow: string,
  executionId: string,
) {
  const { clock, journal, wakes } = context;
  const commits: ReadonlyArray<Commit> = yield* askAgain(journal.load(executionId, 0));
  const state = foldCommits(commits);
  const target = { workflow, executionId };
  const wake = overdueOf(commits, clock.currentTimeMillisUnsafe(), 0).find(
    (nudge) => nudge._tag === "Wake",
  );
  if (wake) return yield* wakes.wake(target, wake.mode);
  if (!state.suspended) {
    const lease = state.run?.leaseUntilEpochMs;
    return yield* wakes.wake(target, "automatic", lease);
  }
  for (const timer of state.clocks.values()) {
    if (state.deferreds.has(timer.deferred)) continue;
    const { name, wakeAtEpochMs } = timer;
    yield* wakes.timer({ ...target, clock: name, wakeAtEpochMs });
  }
});
