/**
 * `millrace ls`: the executions, newest first.
 */
import { Executions, type ExecutionRow, ExecutionStatus } from "@millrace/core";
import { Console, Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { findConnection } from "./Connection.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerStores } from "./stores.ts";
import { renderTable } from "./table.ts";
import { formatMs } from "./timeline.ts";

export const ls = Command.make(
  "ls",
  {
    workflow: Flag.String("workflow").pipe(
      Flag.withDescription("Only executions of this workflow"),
      Flag.optional,
    ),
    status: Flag.Literals("status", ExecutionStatus.literals).pipe(
      Flag.withDescription("Only executions with this status"),
      Flag.optional,
    ),
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
  Effect.fnUntraced(function* ({ cursor, json, limit, status, workflow }) {
    const connection = yield* findConnection;
    const page = yield* Executions.use((executions) =>
      executions.list({
        workflow: Option.getOrUndefined(workflow),
        status: Option.getOrUndefined(status),
        rowsMax: limit,
        cursor: Option.getOrUndefined(cursor),
      }),
    ).pipe(Effect.provide(layerStores(connection)));
    if (json) return yield* Console.log(JSON.stringify(page));
    if (page.rows.length === 0) return yield* Console.log("no executions");
    yield* Console.log(renderRows(page.rows));
    if (page.cursor !== undefined) yield* Console.log(`more: --cursor ${page.cursor}`);
  }),
).pipe(
  Command.withDescription("List executions, newest first"),
  Command.withExamples([
    { command: "millrace ls", description: "The newest 50" },
    { command: "millrace ls --status failed --json", description: "The failed ones, as JSON" },
  ]),
);

const renderRows = (rows: ReadonlyArray<ExecutionRow>): string =>
  renderTable(
    ["EXECUTION", "WORKFLOW", "STATUS", "STEPS", "TIME", "OBJECT"],
    rows.map((row) => [
      row.executionId,
      row.workflow,
      row.status,
      String(row.steps),
      formatMs(row.updatedEpochMs - row.startedEpochMs),
      row.key,
    ]),
  );
