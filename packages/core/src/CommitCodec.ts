/**
 * Commits as JSON text, the one form in which every store keeps them.
 *
 * Size is checked when a commit is encoded, before any store has seen it; what cannot be read back is `JournalCorrupt`
 * and names the commit.
 */
import { Cause, Effect, Exit, Result, Schema } from "effect";
import { crc32 } from "node:zlib";
import { type Commit, HistoryEvent } from "./HistoryEvent.ts";
import { CommitTooLarge, JournalCorrupt } from "./JournalError.ts";
import { commitBytesMax } from "./Limits.ts";

const Events = Schema.NonEmptyArray(HistoryEvent);
// The text is made and read by JSON itself, at a third of the time that a schema around it takes (3.3 us an event).
// What is read is checked; what is written has the type that the schema is of, in which both its sides are the same.
const decodeEvents = Schema.decodeUnknownExit(Events);

/** A commit as a store keeps it, beside its execution's id. */
export interface StoredCommit {
  readonly commit: number;
  readonly writer: string;
  /** The events as JSON text. */
  readonly events: string;
  /** CRC-32 of all the rest, so that a row that was changed or moved is noticed. Rows from before it was kept have none. */
  readonly checksum?: string | undefined;
}

const checksumOf = (
  executionId: string,
  { commit, events, writer }: Omit<StoredCommit, "checksum">,
): string =>
  // In two parts, so that the long one is not copied.
  crc32(events, crc32(`${executionId}/${commit}/${writer}/`))
    .toString(16)
    .padStart(8, "0");

/** The row of a commit; fails when the text would be too large for a DynamoDB item. */
export const encodeCommit = (
  commit: Commit,
): Effect.Effect<StoredCommit & { readonly checksum: string }, CommitTooLarge> => {
  const text = JSON.stringify(commit.events);
  const row = { commit: commit.commit, writer: commit.writer, events: text };
  // A unit of UTF-16 is three bytes of UTF-8 at most: nearly all commits need no counting.
  const commitBytes = text.length * 3 <= commitBytesMax ? text.length : Buffer.byteLength(text);
  return commitBytes <= commitBytesMax
    ? Effect.succeed({ ...row, checksum: checksumOf(commit.executionId, row) })
    : Effect.fail(
        new CommitTooLarge({
          executionId: commit.executionId,
          commit: commit.commit,
          commitBytes,
          commitBytesMax,
        }),
      );
};

/** The stored rows of an execution as commits; refuses a gap, a repeated number, and what is not what was stored. */
export const decodeCommits = (
  executionId: string,
  after: number,
  rows: ReadonlyArray<StoredCommit>,
): Effect.Effect<ReadonlyArray<Commit>, JournalCorrupt> => {
  const commits: Array<Commit> = [];
  for (const row of rows) {
    const { checksum, commit, events: text, writer } = row;
    const expected = after + commits.length + 1;
    const corrupt = (reason: string) =>
      Effect.fail(new JournalCorrupt({ executionId, commit: expected, reason }));
    if (commit !== expected) return corrupt(`the stored number is ${commit}`);
    if (checksum !== undefined && checksum !== checksumOf(executionId, row)) {
      return corrupt("its checksum is another one: it was changed after it was stored");
    }
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
