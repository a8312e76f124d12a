/**
 * Histories as files: one per line, JSON, to be kept, moved to another journal, or replayed against the code of today.
 *
 * Shape:  `{"format":"millrace-history/1","executionId":…,"workflow":…,"commits":[…]}`, one line each
 *         The form is a compatibility surface: files of a released version stay readable.
 */
import { Effect, Option, Schema } from "effect";
import { askAgain } from "./askAgain.ts";
import { canonicalJson } from "./CanonicalJson.ts";
import { ExecutionUnknown, HistoryConflict } from "./ExecutionRefusal.ts";
import { Commit } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { oneLine } from "./oneLine.ts";
import { LargeValues, referencesIn } from "./LargeValues.ts";
import { reindexFrom } from "./reindex.ts";

/** Names the form and its version. */
export const historyFormat = "millrace-history/1";

/** The history of one execution. */
export const HistoryRecord = Schema.Struct({
  format: Schema.Literal(historyFormat),
  executionId: Schema.NonEmptyString,
  workflow: Schema.String,
  commits: Schema.NonEmptyArray(Commit),
  /** What the events refer to because it is too large for the journal: JSON texts by their SHA-256. */
  values: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
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
  const commits = [first, ...rest] as const;
  const values = yield* valuesOf(commits);
  return {
    format: historyFormat,
    executionId,
    workflow,
    commits,
    ...(Object.keys(values).length > 0 && { values }),
  } satisfies HistoryRecord;
});

/** The large values that the events refer to, where a store of them is in the context. */
const valuesOf = Effect.fnUntraced(function* (commits: ReadonlyArray<Commit>) {
  const values = yield* Effect.serviceOption(LargeValues);
  if (Option.isNone(values)) return {};
  const hashes = new Set(referencesIn(commits));
  return Object.fromEntries(
    yield* Effect.forEach(hashes, (sha256) =>
      Effect.map(values.value.get(sha256), (text) => [sha256, text] as const),
    ),
  );
});

/** What an import would come to: the commits that are missing, and those that are there. */
const compareStored = Effect.fnUntraced(function* ({ commits, executionId }: HistoryRecord) {
  const journal = yield* Journal;
  const stored = yield* askAgain(journal.load(executionId, 0));
  const differing = commits.find((commit, index) => {
    const other = stored[index];
    return other !== undefined && canonicalJson(other) !== canonicalJson(commit);
  });
  if (differing) return yield* new HistoryConflict({ executionId, commit: differing.commit });
  return { stored, missing: commits.slice(stored.length) };
});

/** What `importHistory` would come to; changes nothing. */
export const checkImport = (record: HistoryRecord) =>
  Effect.map(compareStored(record), ({ missing }) =>
    missing.length > 0 ? ("imported" as const) : ("present" as const),
  );

/**
 * Appends a history to the journal of the context, as it is, and makes its row.
 *
 * `present`: it was there, alone or as the beginning of what has happened since. One that was broken off is completed.
 * Nobody is asked to run it; one that has not ended is found by the sweeper, and run, where there is one.
 */
export const importHistory = Effect.fnUntraced(function* (record: HistoryRecord) {
  const { commits, executionId } = record;
  const journal = yield* Journal;
  const { missing, stored } = yield* compareStored(record);
  const values = yield* Effect.serviceOption(LargeValues);
  // Before the events that refer to them, as the engine does it.
  for (const [sha256, text] of Object.entries(record.values ?? {})) {
    if (Option.isSome(values)) yield* values.value.put(sha256, text);
  }
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
