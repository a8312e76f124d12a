/**
 * Commits as JSON text, the one form in which every store keeps them.
 *
 * Size is checked when a commit is encoded, before any store has seen it; what cannot be read back is `JournalCorrupt`
 * and names the commit.
 */
import { Cause, Effect, Exit, Result, Schema } from "effect";
import { type Commit, HistoryEvent } from "./HistoryEvent.ts";
import { CommitTooLarge, JournalCorrupt } from "./JournalError.ts";
import { commitBytesMax } from "./Limits.ts";

const Events = Schema.NonEmptyArray(HistoryEvent);
// The text is made and read by JSON itself, at a third of the time that a schema around it takes (3.3 us an event).
// What is read is checked; what is written has the type that the schema is of, in which both its sides are the same.
const decodeEvents = Schema.decodeUnknownExit(Events);

/** The events of a commit as JSON text; fails when the text would be too large for a DynamoDB item. */
export const encodeCommitEvents = (commit: Commit): Effect.Effect<string, CommitTooLarge> => {
  const text = JSON.stringify(commit.events);
  const commitBytes = Buffer.byteLength(text);
  return commitBytes <= commitBytesMax
    ? Effect.succeed(text)
    : Effect.fail(
        new CommitTooLarge({
          executionId: commit.executionId,
          commit: commit.commit,
          commitBytes,
          commitBytesMax,
        }),
      );
};

/** A stored commit as a store gives it. */
interface StoredCommit {
  readonly commit: number;
  readonly writer: string;
  readonly events: string;
}

/** The stored rows of an execution as commits; refuses a gap, a repeated number and text that is no event. */
export const decodeCommits = (
  executionId: string,
  after: number,
  rows: ReadonlyArray<StoredCommit>,
): Effect.Effect<ReadonlyArray<Commit>, JournalCorrupt> => {
  const commits: Array<Commit> = [];
  for (const { commit, events: text, writer } of rows) {
    const expected = after + commits.length + 1;
    const corrupt = (reason: string) =>
      Effect.fail(new JournalCorrupt({ executionId, commit: expected, reason }));
    if (commit !== expected) return corrupt(`the stored number is ${commit}`);
    const parsed = parse(text);
    if (Result.isFailure(parsed)) return corrupt(String(parsed.failure));
    const events = decodeEvents(parsed.success);
    if (Exit.isFailure(events)) return corrupt(String(Cause.squash(events.cause)));
    commits.push({ executionId, commit, writer, events: events.value });
  }
  return Effect.succeed(commits);
};

const parse = (text: string): Result.Result<unknown, unknown> =>
  Result.try((): unknown => JSON.parse(text));
