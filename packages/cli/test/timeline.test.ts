/** A history's lines tell what the steps of a pipeline came to, each on its own. */
import { assert, it } from "@effect/vitest";
import { renderTimeline } from "../src/timeline.ts";

it("shows each step of a pass with its rows and the version of its table", () => {
  const figures = { rowsIn: 10, rowsOut: 9, rowsRejected: 1 };
  const step = { name: "country-name", stage: "enrich", ...figures, reference: "raw/c.csv@v1" };
  const report = { stages: { enrich: { rows: 9, columns: ["a", "b"], steps: [step] } } };
  const lines = renderTimeline([
    {
      executionId: "e",
      writer: "w",
      commit: 1,
      events: [
        {
          _tag: "ActivityCompleted",
          name: "transform",
          attempt: 1,
          startedAtEpochMs: 0,
          atEpochMs: 5,
          result: { exit: { _tag: "Success", value: { report } } },
        },
      ],
    },
  ]);
  assert.deepStrictEqual(
    lines.slice(-2).map((line) => line.trim()),
    [
      "enrich: rows 9, columns 2, steps 1",
      "enrich country-name: rowsIn 10, rowsOut 9, rowsRejected 1, reference raw/c.csv@v1",
    ],
  );
});
