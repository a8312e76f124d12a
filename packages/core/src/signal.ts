/**
 * A signal: completes a deferred of an execution from outside, with a value, and asks for a run.
 *
 * The completion is an appended fact, and the first of a name counts. The wake after it may be lost: the sweeper finds an
 * execution that has not seen a fact. A signal may come before the execution waits for it, never before it was started:
 * nobody could tell a mistyped id from one that is still to come.
 */
import { Clock, Effect, Exit, Schema } from "effect";
import { appendFact } from "./appendFact.ts";
import { acceptsDeferred } from "./Decision.ts";
import { ExecutionUnknown } from "./ExecutionRefusal.ts";
import { statusOf } from "./Executions.ts";
import type { ExecutionState } from "./ExecutionState.ts";
import type { HistoryEvent } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { valueBytesMax } from "./Limits.ts";
import { makeWriter } from "./makeWriter.ts";
import { maskJson } from "./Mask.ts";
import { taskDeferredPrefix } from "./task/TaskAddress.ts";
import { Wakes } from "./Wakes.ts";
import { encodeDeferredExit } from "./WorkflowCodec.ts";

/** The execution takes no such signal. */
export class SignalRefused extends Schema.TaggedError<SignalRefused>()("SignalRefused", {
  executionId: Schema.String,
  deferred: Schema.String,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `execution ${this.executionId} does not take the signal "${this.deferred}": ${this.reason}`;
  }
}

export interface Signal {
  /** Name of the body's `DurableDeferred`. */
  readonly deferred: string;
  /** JSON, as the deferred's success schema encodes it; the body finds out whether it is. @default nothing */
  readonly value?: unknown;
}

/** The engine completes these itself: a timer, or the end of a child or a task, that a person invents would be believed. */
const ownPrefixes = ["DurableClock/", "Child/", taskDeferredPrefix];

/** Completes the deferred; fails when it is completed already, or nothing waits for it any more. */
export const signal = Effect.fn("signal")(function* (
  executionId: string,
  { deferred, value }: Signal,
) {
  const refuse = (reason: string) => new SignalRefused({ executionId, deferred, reason });
  if (ownPrefixes.some((prefix) => deferred.startsWith(prefix))) {
    return yield* refuse("names like this one are the engine's own");
  }
  if (maskJson(value) !== value) {
    return yield* refuse(
      "its value holds a secret or a card number, and would be recorded: signal what refers to it",
    );
  }
  const exit = encodeDeferredExit(Exit.succeed(value));
  const bytes = Buffer.byteLength(JSON.stringify(exit));
  if (bytes > valueBytesMax) {
    return yield* refuse(
      `its value has ${bytes} bytes, ${valueBytesMax} at most: put it into a bucket and signal its name`,
    );
  }
  const atEpochMs = yield* Clock.currentTimeMillis;
  const fact: HistoryEvent = { _tag: "DeferredDone", name: deferred, exit, atEpochMs };
  const { appended, state } = yield* appendOnce("signal", executionId, (before) =>
    before.started && acceptsDeferred(before, deferred) ? fact : undefined,
  );
  if (!state.started) return yield* new ExecutionUnknown({ executionId });
  if (!appended) {
    return yield* refuse(
      state.deferreds.has(deferred)
        ? "it was completed before, and the first completion counts"
        : `it is ${statusOf(state)} and waits for nothing`,
    );
  }
  const { workflow } = state.started;
  yield* Wakes.use((wakes) => wakes.wake({ executionId, workflow }, "automatic"));
  return { executionId, workflow, deferred };
});

/** Appends the fact that `decide` asks for; tells the state that holds it, and whether it was this call that appended. */
export const appendOnce = Effect.fnUntraced(function* (
  purpose: string,
  executionId: string,
  decide: (state: ExecutionState) => HistoryEvent | undefined,
) {
  const journal = yield* Journal;
  const writer = yield* makeWriter(purpose);
  let tries = 0;
  let appended: HistoryEvent | undefined;
  const state = yield* appendFact(
    journal,
    executionId,
    () => `${writer}/${++tries}`,
    (before) => {
      appended = decide(before);
      return appended ? [appended] : [];
    },
  );
  return { state, appended };
});
