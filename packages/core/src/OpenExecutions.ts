/**
 * Which executions of a store have not ended: asked once, when a process that is alone with its journal starts.
 *
 * On AWS nobody asks: the queue brings back what a dead process left, and the sweeper finds what it does not.
 */
import { Context, type Effect } from "effect";
import type { JournalUnavailable } from "./JournalError.ts";

export class OpenExecutions extends Context.Service<
  OpenExecutions,
  {
    /** Ids of the started, not completed executions of a workflow. */
    readonly list: (workflow: string) => Effect.Effect<ReadonlyArray<string>, JournalUnavailable>;
  }
>()("@millrace/core/OpenExecutions") {}
