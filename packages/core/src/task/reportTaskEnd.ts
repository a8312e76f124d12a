/**
 * Tells an execution how a task ended for which it waits: appends the fact, and asks for a run.
 *
 * The first who tells counts. The wake after it may be lost: the sweeper finds an execution that has not seen a fact.
 */
import { Clock, Effect } from "effect";
import { acceptsDeferred } from "../Decision.ts";
import { appendOnce } from "../signal.ts";
import { Wakes } from "../Wakes.ts";
import { encodeTaskEnd, type TaskEnd } from "./TaskEnd.ts";
import type { TaskExecution } from "./TaskExecution.ts";

/** What a task does last. */
export const reportTaskEnd = Effect.fnUntraced(function* (
  { deferred: name, executionId, workflow }: TaskExecution["parent"],
  end: TaskEnd,
) {
  const atEpochMs = yield* Clock.currentTimeMillis;
  const exit = encodeTaskEnd(end);
  const { appended } = yield* appendOnce("task", executionId, (before) =>
    before.started && acceptsDeferred(before, name)
      ? { _tag: "DeferredDone", name, exit, atEpochMs }
      : undefined,
  );
  if (appended) {
    yield* Wakes.use((wakes) => wakes.wake({ executionId, workflow }, "automatic"));
  }
});
