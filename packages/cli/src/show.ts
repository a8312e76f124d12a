/**
 * `millrace show <execution>`: the history of one execution as a timeline.
 */
import { type Commit, Executions, Journal } from "@millrace/core";
import { Console, Effect, Schema } from "effect";
import { Argument, Command } from "effect/cli";
import { findConnection } from "./Connection.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerStores } from "./stores.ts";
import { renderTimeline } from "./timeline.ts";

/** No execution, or more than one, answers to the name. */
export class ExecutionNotFound extends Schema.TaggedError<ExecutionNotFound>()(
  "ExecutionNotFound",
  { name: Schema.String, matches: Schema.Array(Schema.String) },
) {
  override get message(): string {
    return this.matches.length === 0
      ? `no execution has the id, or an object, that "${this.name}" is part of: see \`millrace ls\``
      : `"${this.name}" is part of several: ${this.matches.join(", ")}`;
  }
}

/** How far back a name is looked for. */
const rowsSearched = 1_000;

export const show = Command.make(
  "show",
  {
    execution: Argument.String("execution").pipe(
      Argument.withDescription("An execution id, its beginning, or a part of the object's key"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ execution, json }) {
    const connection = yield* findConnection;
    const { commits, executionId } = yield* findHistory(execution).pipe(
      Effect.provide(layerStores(connection)),
    );
    if (json) return yield* Console.log(JSON.stringify({ executionId, commits }));
    yield* Console.log(`execution ${executionId}`);
    yield* Console.log(renderTimeline(commits).join("\n"));
  }),
).pipe(
  Command.withDescription("Show the history of an execution"),
  Command.withExamples([
    { command: "millrace show 3f9a", description: "By the beginning of its id" },
    { command: "millrace show orders.csv", description: "By a part of the object's key" },
  ]),
);

const findHistory = Effect.fnUntraced(function* (name: string) {
  const journal = yield* Journal;
  const direct: ReadonlyArray<Commit> = yield* journal.load(name, 0);
  if (direct.length > 0) return { executionId: name, commits: direct };
  const executions = yield* Executions;
  const { rows } = yield* executions.list({ rowsMax: rowsSearched });
  const matches = rows.filter((row) => row.executionId.startsWith(name) || row.key.includes(name));
  const [match] = matches;
  if (!match || matches.length > 1) {
    return yield* new ExecutionNotFound({
      name,
      matches: matches.slice(0, 10).map((row) => `${row.executionId} (${row.key})`),
    });
  }
  return {
    executionId: match.executionId,
    commits: yield* journal.load(match.executionId, 0),
  };
});
