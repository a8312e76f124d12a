/** All rows of a query, page by page. */
import { Effect } from "effect";
import type { ExecutionQuery } from "../ExecutionQuery.ts";
import { type ExecutionRow, Executions } from "../Executions.ts";

/** Rows of the index that are asked for at once. */
const pageRows = 100;

/** Hands every page of the query to `use`. */
export const rowPages = Effect.fnUntraced(function* <E, R>(
  query: Omit<ExecutionQuery, "rowsMax" | "cursor">,
  use: (rows: ReadonlyArray<ExecutionRow>) => Effect.Effect<void, E, R>,
) {
  const executions = yield* Executions;
  let cursor: string | undefined;
  do {
    const page = yield* executions.list({ ...query, rowsMax: pageRows, cursor });
    yield* use(page.rows);
    cursor = page.cursor;
  } while (cursor !== undefined);
});
