/**
 * `millrace ls`: the executions, newest first.
 */
import { Executions, type ExecutionRow } from "@millrace/core";
import { Console, Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { findStage } from "./Stage.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { queryFlags, readQuery } from "./queryFlags.ts";
import { layerStores } from "./stores.ts";
import { renderTable } from "./table.ts";
import { formatMs } from "./timeline.ts";

export const ls = Command.make(
  "ls",
  {
    ...queryFlags,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many at most"),
      Flag.filter(
        (rows) => rows > 0,
        (rows) => `--limit must be at least 1, not ${rows}`,
      ),
      Flag.withDefault(50),
    ),
    cursor: Flag.String("cursor").pipe(
      Flag.withDescription("Go on where an earlier page ended"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ cursor, json, limit, ...flags }) {
    const query = yield* readQuery(flags);
    const stage = yield* findStage;
    const page = yield* Executions.use((executions) =>
      executions.list({ ...query, rowsMax: limit, cursor: Option.getOrUndefined(cursor) }),
    ).pipe(Effect.provide(layerStores(stage)));
    if (json) return yield* Console.log(JSON.stringify(page));
    if (page.rows.length === 0) return yield* Console.log("no executions");
    yield* Console.log(renderRows(page.rows));
    if (page.cursor !== undefined) yield* Console.log(`more: --cursor ${page.cursor}`);
  }),
).pipe(
  Command.withDescription(
    "List executions, newest first. Exit codes: 0 listed; 1 the index did not answer; 2 wrong usage",
  ),
  Command.withShortDescription("List executions, newest first"),
  Command.withExamples([
    { command: "millrace ls", description: "The newest 50" },
    {
      command: "millrace ls --status failed --status parked --since 2h --json",
      description: "What stopped in the last two hours, as JSON",
    },
    {
      command: "millrace ls --object 'millrace-raw/incoming/2026/*' --error 84de82a286e8",
      description: "What failed in the same way below a prefix",
    },
  ]),
);

const renderRows = (rows: ReadonlyArray<ExecutionRow>): string => {
  const isAnyFailed = rows.some(({ errorFingerprint }) => errorFingerprint !== undefined);
  const header = ["EXECUTION", "WORKFLOW", "STATUS", "STEPS", "TIME", "OBJECT"];
  return renderTable(
    isAnyFailed ? [...header, "ERROR"] : header,
    rows.map((row) => [
      row.executionId,
      row.workflow,
      row.pausedSinceEpochMs === undefined ? row.status : `${row.status} (paused)`,
      String(row.steps),
      formatMs(row.updatedEpochMs - row.startedEpochMs),
      row.key,
      ...(isAnyFailed ? [describeError(row)] : []),
    ]),
  );
};

const describeError = ({ errorFingerprint, errorTag }: ExecutionRow): string =>
  errorFingerprint === undefined ? "" : `${errorFingerprint} ${errorTag ?? ""}`;
