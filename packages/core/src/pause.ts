/**
 * Pauses one execution, and resumes it: while it is paused its body is not run. Signals, timers and requests to interrupt
 * are kept as facts; a run that is under way ends its turn.
 *
 * Both are appended facts. The wake after them may be lost: after a pause it only brings the index up to date, and after
 * a resumption the sweeper finds an execution that has not seen a fact.
 */
import { Clock, Effect } from "effect";
import { AlreadyEnded } from "./cancel.ts";
import { acceptsPause } from "./Decision.ts";
import { ExecutionUnknown } from "./ExecutionRefusal.ts";
import { type ExecutionStatus, statusOf } from "./Executions.ts";
import type { ExecutionState } from "./ExecutionState.ts";
import type { HistoryEvent } from "./HistoryEvent.ts";
import { maskText } from "./Mask.ts";
import { appendOnce } from "./signal.ts";
import { Wakes } from "./Wakes.ts";

/** What was asked of whom. */
export interface PausedExecution {
  readonly executionId: string;
  readonly workflow: string;
  readonly status: ExecutionStatus;
  /** False when it was so already. */
  readonly changed: boolean;
}

/** Lets the execution stand still from its next stop on. */
export const pause = Effect.fn("pause")(function* (
  executionId: string,
  { reason }: { readonly reason: string },
) {
  const atEpochMs = yield* Clock.currentTimeMillis;
  return yield* change("pause", executionId, (state) =>
    acceptsPause(state) ? { _tag: "Paused", reason: maskText(reason), atEpochMs } : undefined,
  );
});

/** Lets it go on. */
export const resume = Effect.fn("resume")(function* (executionId: string) {
  const atEpochMs = yield* Clock.currentTimeMillis;
  return yield* change("resume", executionId, (state) =>
    state.paused && !state.completed ? { _tag: "Resumed", atEpochMs } : undefined,
  );
});

const change = Effect.fnUntraced(function* (
  purpose: string,
  executionId: string,
  decide: (state: ExecutionState) => HistoryEvent | undefined,
) {
  const { appended, state } = yield* appendOnce(purpose, executionId, decide);
  if (!state.started) return yield* new ExecutionUnknown({ executionId });
  const status = statusOf(state);
  if (state.completed) return yield* new AlreadyEnded({ executionId, status });
  const { workflow } = state.started;
  // A parked one stays parked: it waits for a redrive.
  yield* Wakes.use((wakes) => wakes.wake({ executionId, workflow }, "automatic"));
  const paused: PausedExecution = {
    executionId,
    workflow,
    status,
    changed: appended !== undefined,
  };
  return paused;
});
