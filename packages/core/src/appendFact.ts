/**
 * Appends facts to an execution that this process does not run: a completed deferred, a request to interrupt.
 *
 * The decision is a function of the loaded history; on a conflict the tail is folded and it is taken again. Fails when
 * the store does not answer; nothing is decided from anything but what was loaded.
 */
import { Effect } from "effect";
import { askAgain } from "./askAgain.ts";
import { type ExecutionState, evolveCommits, initialState } from "./ExecutionState.ts";
import type { Commit, HistoryEvent } from "./HistoryEvent.ts";
import type { Journal } from "./Journal.ts";

/** Stores what `decide` asks for, if anything; answers with the state that holds it. */
export const appendFact = Effect.fnUntraced(function* (
  journal: Journal["Service"],
  executionId: string,
  nextWriter: () => string,
  decide: (state: ExecutionState) => ReadonlyArray<HistoryEvent>,
) {
  const state = initialState();
  while (true) {
    evolveCommits(state, yield* askAgain(journal.load(executionId, state.commit)));
    const [first, ...rest] = decide(state);
    if (!first) return state;
    const commit: Commit = {
      executionId,
      commit: state.commit + 1,
      writer: nextWriter(),
      events: [first, ...rest],
    };
    const stored = yield* askAgain(journal.append(commit)).pipe(
      Effect.as(true),
      Effect.catchTag("JournalConflict", () => Effect.succeed(false)),
    );
    if (!stored) continue;
    evolveCommits(state, [commit]);
    return state;
  }
});
