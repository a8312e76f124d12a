/**
 * The journal in one SQLite database (`node:sqlite`): single-machine use, benchmarks, and `:memory:` for tests.
 *
 * The primary key (execution, commit) is the append law. `synchronous = FULL` in WAL mode makes each answered append
 * survive a power cut; a torn last record is dropped by SQLite itself when the file is opened again.
 */
import { Context, Effect, Layer, Schema } from "effect";
import { DatabaseSync } from "node:sqlite";
import { decodeCommits, encodeCommitEvents } from "../CommitCodec.ts";
import { Journal } from "../Journal.ts";
import { JournalConflict, JournalUnavailable } from "../JournalError.ts";
import { OpenExecutions } from "../OpenExecutions.ts";

const Row = Schema.Struct({ commit: Schema.Int, writer: Schema.String, events: Schema.String });
const decodeRows = Schema.decodeUnknownSync(Schema.Array(Row));
const decodeWriter = Schema.decodeUnknownSync(
  Schema.UndefinedOr(Schema.Struct({ writer: Schema.String })),
);

/** Opens (and creates) the journal in `file`; `":memory:"` lives as long as the layer. */
export const layerSqlite = (file: string): Layer.Layer<Journal | OpenExecutions> =>
  Layer.effectContext(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => open(file)),
        (database) => Effect.sync(() => database.close()),
      ),
      (database) =>
        Context.make(Journal, make(database)).pipe(Context.add(OpenExecutions, makeOpen(database))),
    ),
  );

const open = (file: string): DatabaseSync => {
  const database = new DatabaseSync(file);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS journal (
      execution_id TEXT NOT NULL,
      "commit" INTEGER NOT NULL,
      writer TEXT NOT NULL,
      events TEXT NOT NULL,
      PRIMARY KEY (execution_id, "commit")
    ) STRICT, WITHOUT ROWID;
  `);
  return database;
};

const make = (database: DatabaseSync): Journal["Service"] => {
  const insert = database.prepare(
    `INSERT INTO journal (execution_id, "commit", writer, events) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const selectWriter = database.prepare(
    `SELECT writer FROM journal WHERE execution_id = ? AND "commit" = ?`,
  );
  const selectAfter = database.prepare(
    `SELECT "commit", writer, events FROM journal
     WHERE execution_id = ? AND "commit" > ? ORDER BY "commit"`,
  );
  return Journal.of({
    load: Effect.fnUntraced(function* (executionId, after) {
      const rows = yield* attempt(executionId, "load", () =>
        decodeRows(selectAfter.all(executionId, after)),
      );
      return yield* decodeCommits(executionId, after, rows);
    }),
    append: Effect.fnUntraced(function* (commit) {
      const { executionId, commit: number, writer } = commit;
      const events = yield* encodeCommitEvents(commit);
      const holder = yield* attempt(executionId, "append", () =>
        insert.run(executionId, number, writer, events).changes === 1
          ? writer
          : decodeWriter(selectWriter.get(executionId, number))?.writer,
      );
      if (holder !== writer) return yield* new JournalConflict({ executionId, commit: number });
    }),
  });
};

const decodeIds = Schema.decodeUnknownSync(Schema.Array(Schema.Struct({ id: Schema.String })));

const makeOpen = (database: DatabaseSync): OpenExecutions["Service"] => {
  const select = database.prepare(
    `SELECT execution_id AS id FROM journal, json_each(journal.events) AS event
     WHERE event.value ->> '_tag' = 'ExecutionStarted' AND event.value ->> 'workflow' = ?
     EXCEPT
     SELECT execution_id FROM journal, json_each(journal.events) AS event
     WHERE event.value ->> '_tag' = 'Completed'`,
  );
  return OpenExecutions.of({
    list: (workflow) =>
      attempt(workflow, "list open executions", () =>
        decodeIds(select.all(workflow)).map(({ id }) => id),
      ),
  });
};

const attempt = <A>(executionId: string, operation: string, run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause) => new JournalUnavailable({ executionId, operation, cause }),
  });
