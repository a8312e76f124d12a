/** What a redrive by query takes. */
import { assert, describe, it } from "@effect/vitest";
import { type ExecutionRow, Executions } from "@millrace/core";
import { Effect, Option } from "effect";
import { selectFailed } from "../src/redriveMany.ts";

const row = (executionId: string, workflow: string): ExecutionRow => ({
  executionId,
  workflow,
  key: executionId,
  status: "failed",
  commit: 3,
  steps: 1,
  runs: 1,
  startedEpochMs: 0,
  updatedEpochMs: 0,
});

const none = Option.none();
const noFilters = {
  workflow: none,
  object: none,
  since: none,
  until: none,
  error: none,
  status: [],
};

describe("a redrive by query", () => {
  it.effect(
    "takes an execution whose task failed, and not the task's own, which goes on with it",
    () =>
      Effect.gen(function* () {
        const rows = [
          row("sales", "DailySales"),
          row("work", "DailySalesTransform"),
          row("x", "Other"),
        ];
        const ids = yield* selectFailed(noFilters).pipe(
          Effect.provideService(Executions, {
            record: () => Effect.void,
            list: () => Effect.succeed({ rows, cursor: undefined }),
            find: () => Effect.undefined,
          }),
        );
        // One of a workflow that is not known here is not left out in silence: it is refused by name.
        assert.deepStrictEqual(ids, ["sales", "x"]);
      }),
  );
});
