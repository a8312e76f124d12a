/**
 * The journal: the append-only store of all histories, and the only truth of the engine.
 *
 * The append law, which every store keeps and `journalContract` checks:
 *  - a commit is stored whole or not at all, under the number that the writer asks for;
 *  - the first writer of a number has it, every other one gets `JournalConflict`, for ever;
 *  - a writer that meets its own commit (same `writer` token: an earlier try whose answer was lost) has succeeded;
 *  - a load that starts after an append was answered sees it;
 *  - nothing is ever changed or removed.
 *
 * Numbers come from the reader's history (`last commit + 1`), never from the store: a stale writer must lose.
 */
import { Context, type Effect } from "effect";
import type { Commit } from "./HistoryEvent.ts";
import type { AppendFailure, LoadFailure } from "./JournalError.ts";

export class Journal extends Context.Service<
  Journal,
  {
    /** The commits of an execution after commit number `after` (0: all of them), in order, without gaps. */
    readonly load: (
      executionId: string,
      after: number,
    ) => Effect.Effect<ReadonlyArray<Commit>, LoadFailure>;
    /** Stores one commit under its number, by the append law above. */
    readonly append: (commit: Commit) => Effect.Effect<void, AppendFailure>;
  }
>()("@millrace/core/Journal") {}
