/**
 * `millrace redrive`: lets what failed or was parked go on from its failed step, one execution or all of a query.
 */
import { redrive as redriveExecution, type RedrivenExecution } from "@millrace/core";
import { Console, Effect } from "effect";
import { Argument, CliError, Command, Flag } from "effect/cli";
import { findStage } from "./Stage.ts";
import { executionArgument, findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { isFiltering, queryFlags } from "./queryFlags.ts";
import { dryRunFlag, rateFlag } from "./rateFlag.ts";
import { redriveMany, selectFailed } from "./redriveMany.ts";
import { layerOperations, requirePipeline } from "./stores.ts";

export const redrive = Command.make(
  "redrive",
  {
    executions: executionArgument.pipe(Argument.variadic({ min: 0 })),
    ...queryFlags,
    status: Flag.Literals("status", ["failed", "parked"]).pipe(
      Flag.withDescription("Only failed ones, or only parked ones; without it, both"),
      Flag.atLeast(0),
    ),
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; kept in the histories"),
      Flag.withDefault("asked for on the command line"),
    ),
    rate: rateFlag,
    dryRun: dryRunFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ dryRun, executions: names, json, rate, reason, ...flags }) {
    const isQuery = isFiltering(flags);
    if (names.length > 0 === isQuery) return yield* sayWhich;
    const stage = yield* findStage;
    const [name] = names;
    yield* Effect.gen(function* () {
      if (name !== undefined && names.length === 1 && !dryRun) {
        const redriven = yield* redriveOne(name, reason);
        return yield* Console.log(json ? JSON.stringify(redriven) : describe(redriven).join("\n"));
      }
      const ids = isQuery
        ? yield* selectFailed(flags)
        : yield* Effect.forEach(names, (one) =>
            Effect.map(findHistory(one), ({ executionId }) => executionId),
          );
      yield* redriveMany(ids, { dryRun, json, perSecond: rate, reason });
    }).pipe(Effect.provide(layerOperations(stage)));
  }),
).pipe(
  Command.withDescription(
    "Run failed or parked executions again from their failed step; what succeeded is kept. One that is not failed any more is left alone, so the same command can be repeated. Exit codes: 0 all were asked to run, or had been; 1 one is not there or may not be redriven, or the stores did not answer; 2 wrong usage; 130 stopped",
  ),
  Command.withShortDescription(
    "Run failed executions again from their failed step, one or all of a query",
  ),
  Command.withExamples([
    { command: "millrace redrive 3f9a", description: "By the beginning of its id" },
    {
      command: "millrace redrive incoming/orders.csv --reason 'bucket policy repaired'",
      description: "By its object, with a reason for the history",
    },
    {
      command: "millrace redrive --error 84de82a286e8 --since 2h --dry-run",
      description: "How many failed like this; then the same without --dry-run",
    },
    {
      command: "millrace redrive --status parked --workflow CsvToParquet --rate 5/s",
      description: "All parked ones of a workflow, five a second",
    },
  ]),
);

/** Names or filters, not both: a name that also had to pass a filter would be left out in silence. */
const sayWhich = Effect.fail(
  new CliError.ShowHelp({
    commandPath: ["millrace", "redrive"],
    errors: [
      new CliError.ValidationError({
        message: "say what to redrive: names of executions, or filters like --status failed",
      }),
    ],
  }),
);

const redriveOne = Effect.fnUntraced(function* (name: string, reason: string) {
  const { commits, executionId } = yield* findHistory(name);
  yield* requirePipeline(executionId, commits);
  return yield* redriveExecution(executionId, { reason });
});

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
