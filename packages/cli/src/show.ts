/**
 * `millrace show <execution>`: the history of one execution as a timeline, and what is linked with it.
 *
 * Whoever looks at an execution has its history at hand: a row of the index that is behind is repaired from it.
 */
import {
  type Commit,
  Executions,
  type ExecutionRow,
  type HistoryEvent,
  reindexFrom,
} from "@millrace/core";
import { topology } from "@millrace/workflows/topology";
import { Console, Effect } from "effect";
import { Command } from "effect/cli";
import { costOfRun, renderRunCost, type RunCost } from "./cost/costOfRun.ts";
import { findStage } from "./Stage.ts";
import { executionArgument, findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerStores } from "./stores.ts";
import { renderTimeline } from "./timeline.ts";

export const show = Command.make(
  "show",
  { execution: executionArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ execution, json }) {
    const stage = yield* findStage;
    const { commits, executionId, forks, row } = yield* findHistory(execution).pipe(
      Effect.flatMap(withLinks),
      Effect.provide(layerStores(stage)),
    );
    if (json) {
      return yield* Console.log(
        JSON.stringify({
          executionId,
          status: row?.status,
          redrives: row?.redrives ?? 0,
          forkedFrom: row?.forkedFrom,
          forks,
          cost: costOf(commits),
          commits,
        }),
      );
    }
    yield* Console.log(
      [
        `execution ${executionId}`,
        ...linkLines(row, forks),
        ...renderTimeline(commits),
        ...costLines(commits),
      ].join("\n"),
    );
  }),
).pipe(
  Command.withDescription(
    "Show the history of an execution, its events numbered as `millrace fork` wants them. Exit codes: 0 shown; 1 no execution, or several, answer to the name; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Show the history of an execution, its events numbered as `millrace fork` wants them",
  ),
  Command.withExamples([
    { command: "millrace show 3f9a", description: "By the beginning of its id" },
    { command: "millrace show orders.csv", description: "By a part of the object's key" },
  ]),
);

/** Of an execution of one of the product's pipelines. */
const costOf = (commits: ReadonlyArray<Commit>): RunCost | undefined => {
  const started = commits.flatMap(({ events }) => events).find(isStarted);
  const pipeline = [...topology.pipelines, ...topology.chains].find(
    ({ task, workflow }) => workflow === started?.workflow || task?.workflow === started?.workflow,
  );
  return pipeline && costOfRun(commits, pipeline);
};

const isStarted = (
  event: HistoryEvent,
): event is Extract<HistoryEvent, { _tag: "ExecutionStarted" }> =>
  event._tag === "ExecutionStarted";

const costLines = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> => {
  const cost = costOf(commits);
  return cost ? renderRunCost(cost) : [];
};

/** Executions of one object that are looked at for forks. */
const rowsSearched = 100;

/** The row, repaired if need be, and the forks that are about the same object. */
const withLinks = Effect.fnUntraced(function* (found: {
  readonly executionId: string;
  readonly commits: ReadonlyArray<Commit>;
}) {
  const executions = yield* Executions;
  const { commits, executionId } = found;
  const stored = yield* executions.find(executionId);
  const row =
    stored && stored.commit >= commits.length ? stored : yield* reindexFrom(executionId, commits);
  const { rows } =
    row?.object === undefined
      ? { rows: [] }
      : yield* executions.list({ object: { exact: row.object }, rowsMax: rowsSearched });
  const forks = rows
    .filter(({ forkedFrom }) => forkedFrom === executionId)
    .map((fork) => fork.executionId);
  return { ...found, row, forks };
});

const linkLines = (row: ExecutionRow | undefined, forks: ReadonlyArray<string>) => [
  ...(row?.forkedFrom === undefined ? [] : [`a fork of ${row.forkedFrom}`]),
  ...(row?.redrives === undefined ? [] : [`redriven ${row.redrives} times`]),
  ...forks.map((fork) => `forked as ${fork}`),
];
