/**
 * `millrace redrive <execution>`: lets what failed or was parked go on from its failed step.
 */
import { redrive as redriveExecution, type RedrivenExecution } from "@millrace/core";
import { Console, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { findConnection } from "./Connection.ts";
import { executionArgument, findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerOperations, requirePipeline } from "./stores.ts";

export const redrive = Command.make(
  "redrive",
  {
    execution: executionArgument,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; kept in the history"),
      Flag.withDefault("asked for on the command line"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ execution, json, reason }) {
    const connection = yield* findConnection;
    const redriven = yield* Effect.gen(function* () {
      const { commits, executionId } = yield* findHistory(execution);
      yield* requirePipeline(executionId, commits);
      return yield* redriveExecution(executionId, { reason });
    }).pipe(Effect.provide(layerOperations(connection)));
    yield* Console.log(json ? JSON.stringify(redriven) : describe(redriven).join("\n"));
  }),
).pipe(
  Command.withDescription(
    "Run a failed or parked execution again from its failed step; what succeeded is kept. Exit codes: 0 it was asked to run; 1 it is not there, has not failed, or has undone its steps; 2 wrong usage",
  ),
  Command.withExamples([
    { command: "millrace redrive 3f9a", description: "By the beginning of its id" },
    {
      command: "millrace redrive incoming/orders.csv --reason 'bucket policy repaired'",
      description: "By its object, with a reason for the history",
    },
  ]),
);

const describe = ({ children, executionId, forgotten, workflow }: RedrivenExecution) => {
  const again = new Set([
    ...forgotten.activities
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("DurableClock/")),
    ...forgotten.deferreds.filter((name) => !name.startsWith("DurableClock/")),
  ]);
  const what = again.size > 0 ? `again: ${[...again].join(", ")}` : "nothing is forgotten";
  const lines: ReadonlyArray<string> = [
    ...children.flatMap((child): ReadonlyArray<string> => describe(child)),
    `redriven ${workflow} ${executionId} (${what})`,
  ];
  return lines;
};
