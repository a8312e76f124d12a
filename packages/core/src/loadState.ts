/**
 * An execution's state from its journal: one query, the fold of everything that is stored.
 */
import { Effect } from "effect";
import { askAgain } from "./askAgain.ts";
import { type ExecutionState, evolveCommits, initialState } from "./ExecutionState.ts";
import type { Journal } from "./Journal.ts";

/**
 * The state as it stands; the initial one for an execution of which nothing is stored. `known`, when given, is the
 * state up to an earlier commit: only what came since is loaded, and folded into it.
 */
export const loadState = (
  journal: Journal["Service"],
  executionId: string,
  known: ExecutionState = initialState(),
) =>
  Effect.map(askAgain(journal.load(executionId, known.commit)), (commits) => {
    evolveCommits(known, commits);
    return known;
  });
