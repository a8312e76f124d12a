/**
 * The same input once more from the start, as a new execution that is linked to the old one: a fork that keeps nothing.
 *
 * The label names the occasion. The same occasion twice makes one execution, so a rerun that was broken off is repeated
 * without doing anything twice.
 */
import { Effect } from "effect";
import { askAgain } from "../askAgain.ts";
import { decideFork } from "../decideFork.ts";
import { loadState } from "../loadState.ts";
import { fork } from "../fork.ts";
import { Journal } from "../Journal.ts";

/** Before it nothing can have happened that would be kept. */
const firstEvent = 1;

/** Reruns one execution; `created` is false when it has been rerun on that occasion already. */
export const rerun = (executionId: string, label: string) =>
  fork(executionId, { afterEvent: firstEvent, label, workflows: [] });

/** Whether a rerun would make a new execution; fails where it would be refused. Costs reads only. */
export const checkRerun = Effect.fnUntraced(function* (executionId: string, label: string) {
  const journal = yield* Journal;
  const history = yield* askAgain(journal.load(executionId, 0));
  const planned = yield* Effect.fromResult(
    decideFork(history, { executionId, afterEvent: firstEvent, label, atEpochMs: 0 }),
  );
  const state = yield* loadState(journal, planned.executionId);
  return { created: state.started === undefined };
});
