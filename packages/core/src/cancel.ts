/**
 * Asks an execution to end as interrupted: where it next waits, or at once.
 *
 * The request is an appended fact; compensations run, as after any interrupt. The wake after it may be lost: the sweeper
 * finds an execution that has not seen a fact.
 */
import { Clock, Effect, Schema } from "effect";
import { acceptsInterrupt } from "./Decision.ts";
import { ExecutionUnknown } from "./ExecutionRefusal.ts";
import { type ExecutionStatus, statusOf } from "./Executions.ts";
import { appendOnce } from "./signal.ts";
import { Wakes } from "./Wakes.ts";

/** It has ended; there is nothing to interrupt. */
export class AlreadyEnded extends Schema.TaggedError<AlreadyEnded>()("AlreadyEnded", {
  executionId: Schema.String,
  status: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} is ${this.status}, and cannot be cancelled, paused or resumed any more`;
  }
}

export interface CancelOptions {
  /** Interrupts the step that runs, too, instead of waiting until the body waits. @default false */
  readonly now?: boolean;
}

export interface CancelledExecution {
  readonly executionId: string;
  readonly workflow: string;
  /** As it was when it was asked. */
  readonly status: ExecutionStatus;
  /** It had been asked before; it was asked to run once more. */
  readonly again: boolean;
}

/** Asks; the execution ends when it is run next. */
export const cancel = Effect.fn("cancel")(function* (
  executionId: string,
  { now: unsafe = false }: CancelOptions = {},
) {
  const atEpochMs = yield* Clock.currentTimeMillis;
  const { appended, state } = yield* appendOnce("cancel", executionId, (before) =>
    acceptsInterrupt(before, unsafe)
      ? { _tag: "InterruptRequested", unsafe, atEpochMs }
      : undefined,
  );
  if (!state.started) return yield* new ExecutionUnknown({ executionId });
  const status = statusOf(state);
  if (state.completed) return yield* new AlreadyEnded({ executionId, status });
  const { workflow } = state.started;
  yield* Wakes.use((wakes) => wakes.wake({ executionId, workflow }, "explicit"));
  const cancelled: CancelledExecution = { executionId, workflow, status, again: !appended };
  return cancelled;
});
