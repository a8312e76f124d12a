/**
 * Commits as JSON text, the one form in which every store keeps them.
 *
 * Size is checked when a commit is encoded, before any store has seen it; what cannot be read back is `JournalCorrupt`
 * and names the commit.
 */
import { Effect, Schema } from "effect";
import { type Commit, HistoryEvent } from "./HistoryEvent.ts";
import { CommitTooLarge, JournalCorrupt } from "./JournalError.ts";
import { commitBytesMax } from "./Limits.ts";

const EventsJson = Schema.fromJsonString(Schema.NonEmptyArray(HistoryEvent));
const encodeEvents = Schema.encodeSync(EventsJson);
const decodeEvents = Schema.decodeUnknownEffect(EventsJson);

/** The events of a commit as JSON text; fails when the text would be too large for a DynamoDB item. */
export const encodeCommitEvents = (commit: Commit): Effect.Effect<string, CommitTooLarge> => {
  const text = encodeEvents(commit.events);
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

/** The stored rows of an execution as commits; refuses a gap, a repeated number and text that is no event. */
export const decodeCommits = Effect.fnUntraced(function* (
  executionId: string,
  after: number,
  rows: ReadonlyArray<{
    readonly commit: number;
    readonly writer: string;
    readonly events: unknown;
  }>,
) {
  const commits: Array<Commit> = [];
  for (const row of rows) {
    const expected = after + commits.length + 1;
    if (row.commit !== expected) {
      return yield* new JournalCorrupt({
        executionId,
        commit: expected,
        reason: `the stored number is ${row.commit}`,
      });
    }
    const events = yield* decodeEvents(row.events).pipe(
      Effect.mapError(
        (error) => new JournalCorrupt({ executionId, commit: expected, reason: error.message }),
      ),
    );
    commits.push({ executionId, commit: row.commit, writer: row.writer, events });
  }
  return commits;
});
