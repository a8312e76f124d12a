/**
 * Goal: appends that share a transaction, and processes that share a file, keep the append law.
 * Method: a second connection stands for another process; it holds SQLite's lock, or makes one statement of a
 * transaction fail by a trigger.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, layer } from "@effect/vitest";
import { type Commit, Journal } from "@millrace/core";
import { OpenExecutions, SqliteJournal } from "@millrace/core/sqlite";
import { Context, Effect, Fiber, FileSystem, Layer } from "effect";
import { TestClock } from "effect/testing";
import { DatabaseSync } from "node:sqlite";

const commit = (executionId: string, number = 1): Commit => ({
  executionId,
  commit: number,
  writer: `writer of ${executionId}`,
  events: [{ _tag: "InterruptRequested", unsafe: false, atEpochMs: 1 }],
});

const started = (workflow: string) =>
  ({
    _tag: "ExecutionStarted",
    workflow,
    idempotencyKey: "key",
    payload: {},
    payloadHash: "0",
    atEpochMs: 1,
  }) as const;

/** A journal on a file, and another connection to the file. */
const world = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem;
  const file = `${yield* files.makeTempDirectoryScoped()}/journal.sqlite`;
  const services = yield* Layer.build(SqliteJournal.layerSqlite(file));
  const other = yield* Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(file)),
    (database) => Effect.sync(() => database.close()),
  );
  const open = Context.get(services, OpenExecutions);
  return { file, journal: Context.get(services, Journal), open, other };
});

layer(NodeServices.layer)("a SQLite journal on a file", (it) => {
  it.effect("appends that meet are stored together or not at all, and may be asked again", () =>
    Effect.gen(function* () {
      const { journal, other } = yield* world;
      other.exec(`CREATE TRIGGER broken BEFORE INSERT ON journal WHEN NEW.execution_id = 'b'
                  BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
      const ids = ["a", "b", "c"];
      const failures = yield* Effect.forEach(ids, (id) => Effect.flip(journal.append(commit(id))), {
        concurrency: "unbounded",
      });
      assert.deepStrictEqual(
        failures.map(({ _tag, executionId }) => `${_tag} ${executionId}`),
        ["JournalUnavailable a", "JournalUnavailable b", "JournalUnavailable c"],
      );
      for (const id of ids) assert.deepStrictEqual(yield* journal.load(id, 0), []);

      other.exec("DROP TRIGGER broken");
      yield* Effect.forEach(ids, (id) => journal.append(commit(id)), { concurrency: "unbounded" });
      for (const id of ids) assert.deepStrictEqual(yield* journal.load(id, 0), [commit(id)]);
    }),
  );

  it.effect("an append waits while another process writes", () =>
    Effect.gen(function* () {
      const { journal, other } = yield* world;
      other.exec("BEGIN IMMEDIATE");
      const appends = yield* Effect.forkChild(
        Effect.forEach(["a", "b"], (id) => journal.append(commit(id)), {
          concurrency: "unbounded",
        }),
      );
      yield* TestClock.adjust("1 second");
      assert.isUndefined(appends.pollUnsafe());
      assert.deepStrictEqual(yield* journal.load("a", 0), []);
      other.exec("COMMIT");
      yield* TestClock.adjust("1 second");
      yield* Fiber.join(appends);
      assert.deepStrictEqual(yield* journal.load("b", 0), [commit("b")]);
    }),
  );

  it.effect("an append is unavailable when another process does not let go", () =>
    Effect.gen(function* () {
      const { journal, other } = yield* world;
      other.exec("BEGIN IMMEDIATE");
      const append = yield* Effect.forkChild(Effect.flip(journal.append(commit("a"))));
      yield* TestClock.adjust("10 seconds");
      assert.strictEqual((yield* Fiber.join(append))._tag, "JournalUnavailable");
    }),
  );

  it.effect("an append that is interrupted does not hold up those that met it", () =>
    Effect.gen(function* () {
      const { journal } = yield* world;
      const [first, second] = yield* Effect.forEach(["a", "b"], (id) =>
        Effect.forkChild(journal.append(commit(id)), { startImmediately: true }),
      );
      if (first) yield* Fiber.interrupt(first);
      if (second) yield* Fiber.join(second);
      assert.deepStrictEqual(yield* journal.load("b", 0), [commit("b")]);
    }),
  );

  it.effect("the open executions of a workflow are those that started and have not ended", () =>
    Effect.gen(function* () {
      const { journal, open } = yield* world;
      const append = (executionId: string, number: number, ...events: Commit["events"]) =>
        journal.append({ executionId, commit: number, writer: `${executionId}/${number}`, events });
      const signal = { _tag: "DeferredDone", name: "signal", exit: {}, atEpochMs: 1 } as const;
      const completed = { _tag: "Completed", result: {}, atEpochMs: 1 } as const;
      assert.deepStrictEqual(yield* open.list("A"), []);
      yield* append("a running", 1, started("A"));
      yield* append("b completed", 1, started("A"));
      yield* append("b completed", 2, signal, completed);
      yield* append("c signalled before its start", 1, signal);
      yield* append("c signalled before its start", 2, started("A"));
      yield* append("d signalled, not started", 1, signal);
      yield* append("e of another workflow", 1, started("B"));
      yield* append("f completed at once", 1, started("A"), completed);
      assert.deepStrictEqual(yield* open.list("A"), ["a running", "c signalled before its start"]);
      assert.deepStrictEqual(yield* open.list("B"), ["e of another workflow"]);
    }),
  );

  it.effect("two processes that open one new file at the same time both get it", () =>
    Effect.gen(function* () {
      const { file, other } = yield* world;
      other.exec("DROP TABLE journal");
      other.exec("BEGIN IMMEDIATE");
      const opened = yield* Effect.forkChild(
        Layer.build(Layer.fresh(SqliteJournal.layerSqlite(file))),
      );
      yield* TestClock.adjust("500 millis");
      assert.isUndefined(opened.pollUnsafe());
      other.exec("COMMIT");
      yield* TestClock.adjust("500 millis");
      const journal = Context.get(yield* Fiber.join(opened), Journal);
      yield* journal.append(commit("a"));
    }),
  );
});
