/**
 * An execution's state from its journal: one query, the fold of everything that is stored.
 */
import { Effect } from "effect";
import { askAgain } from "./askAgain.ts";
import { foldCommits } from "./ExecutionState.ts";
import type { Journal } from "./Journal.ts";

/** The state as it stands; the initial one for an execution of which nothing is stored. */
export const loadState = (journal: Journal["Service"], executionId: string) =>
  Effect.map(askAgain(journal.load(executionId, 0)), foldCommits);
