/**
 * The projection of an execution to the index, whenever a run of it stops: its own, a child's, or one that found
 * nothing to do (which repairs a row that an earlier process could not write).
 *
 * Nothing is decided from a row, but the sweeper finds by it what has been forgotten. So an execution that goes on must
 * have its row before the message that brought it here is deleted; the row of an ended one may be missing for a while.
 */
import { Effect, Option } from "effect";
import { Executions, statusOf, toRow } from "./Executions.ts";
import type { RunContext } from "./RunContext.ts";
import { retry } from "./Retry.ts";

/** Projection and repair to the index of the context; to nowhere when there is none. */
export const makeProjection: Effect.Effect<Pick<RunContext, "project" | "repair">> = Effect.map(
  Effect.serviceOption(Executions),
  Option.match({
    onNone: () => ({ project: () => Effect.void, repair: () => Effect.void }),
    onSome: (executions) => {
      const project: RunContext["project"] = (executionId, state) => {
        const row = toRow(executionId, state);
        if (!row) return Effect.void;
        return executions
          .record(row)
          .pipe(
            retry({ baseMs: 50 }),
            state.completed
              ? Effect.catchTag("IndexUnavailable", (error) => Effect.logWarning(error.message))
              : Effect.orDie,
          );
      };
      /** A replay of the whole archive comes by here once per event: it may cost reads, and no writes. */
      const repair: RunContext["repair"] = (executionId, state) =>
        executions.find(executionId).pipe(
          Effect.flatMap((row) =>
            row && row.commit >= state.commit && row.status === statusOf(state)
              ? Effect.void
              : project(executionId, state),
          ),
          Effect.catchTag("IndexUnavailable", (error) => Effect.logWarning(error.message)),
        );
      return { project, repair };
    },
  }),
);
