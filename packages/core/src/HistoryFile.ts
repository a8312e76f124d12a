/**
 * Histories as files: one per line, JSON, to be kept, moved to another journal, or replayed against the code of today.
 *
 * Shape:  `{"format":"millrace-history/1","executionId":…,"workflow":…,"commits":[…]}`, one line each
 *         The form is a compatibility surface: files of a released version stay readable.
 */
import { Effect, Schema } from "effect";
import { askAgain } from "./askAgain.ts";
import { canonicalJson } from "./CanonicalJson.ts";
import { ExecutionUnknown, HistoryConflict } from "./ExecutionRefusal.ts";
import { Commit } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { oneLine } from "./oneLine.ts";
import { reindexFrom } from "./reindex.ts";

/** Names the form and its version. */
export const historyFormat = "millrace-history/1";

/** The history of one execution. */
export const HistoryRecord = Schema.Struct({
  format: Schema.Literal(historyFormat),
  executionId: Schema.NonEmptyString,
  workflow: Schema.String,
  commits: Schema.NonEmptyArray(Commit),
});
export type HistoryRecord = typeof HistoryRecord.Type;

const HistoryLine = Schema.fromJsonString(HistoryRecord);
const decodeLine = Schema.decodeUnknownEffect(HistoryLine);

/** A line that holds no history. */
export class HistoryUnreadable extends Schema.TaggedError<HistoryUnreadable>()(
  "HistoryUnreadable",
  { line: Schema.Int, reason: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `line ${this.line} holds no history of the form ${historyFormat}: ${this.reason}`;
  }
}

/** The text of a history; it has no line break in it. */
export const encodeHistory: (record: HistoryRecord) => string = Schema.encodeSync(HistoryLine);

/** Reads one line of a file; `line` is its number, for people. */
export const decodeHistory = Effect.fnUntraced(function* (text: string, line: number) {
  const record = yield* decodeLine(text).pipe(
    Effect.mapError(({ message }) => new HistoryUnreadable({ line, reason: oneLine(message) })),
  );
  const reason = incoherenceOf(record);
  if (reason !== undefined) return yield* new HistoryUnreadable({ line, reason });
  return record;
});

/** What is wrong with a history whose parts are well formed. */
const incoherenceOf = ({ commits, executionId, workflow }: HistoryRecord): string | undefined => {
  const foreign = commits.find((commit) => commit.executionId !== executionId);
  if (foreign) return `commit ${foreign.commit} is of execution ${foreign.executionId}`;
  const misplaced = commits.findIndex(({ commit }, index) => commit !== index + 1);
  if (misplaced !== -1) return `commit ${misplaced + 1} is missing or out of order`;
  const started = startOf(commits);
  if (!started) return "it has no ExecutionStarted";
  return started.workflow === workflow
    ? undefined
    : `it is of the workflow ${started.workflow}, not of ${workflow}`;
};

const startOf = (commits: ReadonlyArray<Commit>) =>
  commits.flatMap(({ events }) => events).find((event) => event._tag === "ExecutionStarted");

/** The stored history of an execution, as a file holds it. */
export const exportHistory = Effect.fnUntraced(function* (executionId: string) {
  const journal = yield* Journal;
  const [first, ...rest] = yield* askAgain(journal.load(executionId, 0));
  const started = first && startOf([first, ...rest]);
  if (!first || !started) return yield* new ExecutionUnknown({ executionId });
  const { workflow } = started;
  return {
    format: historyFormat,
    executionId,
    workflow,
    commits: [first, ...rest],
  } satisfies HistoryRecord;
});

/**
 * Appends a history to the journal of the context, as it is, and makes its row.
 *
 * `present`: it was there, alone or as the beginning of what has happened since. One that was broken off is completed.
 * Nobody is asked to run it; one that has not ended is found by the sweeper, and run, where there is one.
 */
export const importHistory = Effect.fnUntraced(function* ({ commits, executionId }: HistoryRecord) {
  const journal = yield* Journal;
  const stored = yield* askAgain(journal.load(executionId, 0));
  const differing = commits.find((commit, index) => {
    const other = stored[index];
    return other !== undefined && canonicalJson(other) !== canonicalJson(commit);
  });
  if (differing) return yield* new HistoryConflict({ executionId, commit: differing.commit });
  const missing = commits.slice(stored.length);
  for (const commit of missing) {
    yield* askAgain(journal.append(commit)).pipe(
      Effect.catchTag("JournalConflict", () =>
        Effect.fail(new HistoryConflict({ executionId, commit: commit.commit })),
      ),
    );
  }
  yield* reindexFrom(executionId, missing.length > 0 ? commits : stored);
  return missing.length > 0 ? "imported" : "present";
});
