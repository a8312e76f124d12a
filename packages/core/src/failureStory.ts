/**
 * What the history tells of the failure that an execution is about to end with: which attempts there were, and when.
 */
import { Effect, Option } from "effect";
import { loadState } from "./loadState.ts";
import { failedActivities } from "./failedFacts.ts";
import { Journal } from "./Journal.ts";

/**
 * The attempts of the step that failed last, since the last redrive. One query of the journal, where there is one: an
 * activity has it when its process gives it to its workflows. A journal that does not answer costs the figures, not the
 * letter that they are for.
 */
export const storyOf = Effect.fnUntraced(
  function* (executionId: string) {
    const journal = yield* Effect.serviceOption(Journal);
    if (Option.isNone(journal)) return {};
    const state = yield* loadState(journal.value, executionId);
    const failed = failedActivities(state).at(-1);
    const attempts = [...state.activities.values()].filter(({ name }) => name === failed?.name);
    const redrives = state.redriveCount;
    if (attempts.length === 0) return { redrives };
    return {
      redrives,
      attempts: attempts.length,
      firstEpochMs: Math.min(...attempts.map(({ startedAtEpochMs }) => startedAtEpochMs)),
      lastEpochMs: Math.max(...attempts.map(({ atEpochMs }) => atEpochMs)),
    };
  },
  Effect.catch((error) =>
    Effect.as(Effect.logWarning("the history of a failure was not read", error.message), {}),
  ),
);
