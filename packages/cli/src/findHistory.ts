/**
 * Which execution a person means: by its id, the beginning of it, its object, or a part of the object's key.
 */
import { type Commit, Executions, type ExecutionRow, Journal } from "@millrace/core";
import { Effect, Schema } from "effect";
import { Argument } from "effect/cli";

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

/** The argument that names one. */
export const executionArgument = Argument.String("execution").pipe(
  Argument.withDescription(
    "An execution id, its beginning, the object as bucket/key, or a part of the object's key",
  ),
);

/** How far back a part of a name is looked for. */
const rowsSearched = 1_000;
/** Executions of one object that are looked at. */
const rowsOfObject = 100;

/** The history of the execution that is meant. */
export const findHistory = Effect.fnUntraced(function* (name: string) {
  const journal = yield* Journal;
  const direct: ReadonlyArray<Commit> = yield* journal.load(name, 0);
  if (direct.length > 0) return { executionId: name, commits: direct };
  const matches = withoutForks(yield* rowsNamed(name));
  const [match] = matches;
  if (!match || matches.length > 1) {
    return yield* new ExecutionNotFound({
      name,
      matches: matches.slice(0, 10).map((row) => `${row.executionId} (${row.status}, ${row.key})`),
    });
  }
  return {
    executionId: match.executionId,
    commits: yield* journal.load(match.executionId, 0),
  };
});

/** The rows that a name may mean, forks among them. */
export const rowsNamed = Effect.fnUntraced(function* (name: string) {
  const executions = yield* Executions;
  if (name.includes("/")) {
    const { rows } = yield* executions.list({ object: { exact: name }, rowsMax: rowsOfObject });
    if (rows.length > 0) return rows;
  }
  const { rows } = yield* executions.list({ rowsMax: rowsSearched });
  return rows.filter(isNamed(name));
});

/** An object's name means its own execution, where there is one; a fork of it is meant by its id. */
const withoutForks = (rows: ReadonlyArray<ExecutionRow>): ReadonlyArray<ExecutionRow> => {
  const originals = rows.filter(({ forkedFrom }) => forkedFrom === undefined);
  return originals.length > 0 ? originals : rows;
};

const isNamed =
  (name: string) =>
  (row: ExecutionRow): boolean =>
    row.executionId.startsWith(name) || row.key.includes(name);
