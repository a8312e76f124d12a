/**
 * The append law as tests: every store of the journal is held to the same claims.
 *
 * Goal: a store that passes can carry the engine. Method: two writers over one store, and a third that lost an answer.
 */
import { assert, it } from "@effect/vitest";
import { Effect, Exit, type Layer } from "effect";
import * as fc from "fast-check";
import type { Commit, HistoryEvent } from "../HistoryEvent.ts";
import { Journal } from "../Journal.ts";
import { JournalConflict } from "../JournalError.ts";
import { commitBytesMax } from "../Limits.ts";

const started = (text: string, payload: unknown = { text }): HistoryEvent => ({
  _tag: "ExecutionStarted",
  workflow: "Contract",
  idempotencyKey: text,
  payload,
  payloadHash: "0",
  atEpochMs: 1,
});

let executions = 0;
/** A fresh execution id, so that stores may be shared between the claims. */
const nextId = (): string => `contract-${++executions}`;

const commit = (
  executionId: string,
  number: number,
  writer: string,
  ...more: ReadonlyArray<HistoryEvent>
): Commit => ({
  executionId,
  commit: number,
  writer,
  events: [started(`${writer}-${number}`), ...more],
});

/** Registers the claims; `layer` must give a store that lives as long as the layer. */
export const journalContract = <E>(layer: Layer.Layer<Journal, E>): void => {
  const claim = (name: string, body: Effect.Effect<void, unknown, Journal>) =>
    it.live(name, () => Effect.provide(body, layer), 30_000);

  claim(
    "an execution of which nothing is stored loads as empty",
    Effect.gen(function* () {
      const journal = yield* Journal;
      assert.deepStrictEqual(yield* journal.load(nextId(), 0), []);
    }),
  );

  claim(
    "what was appended is loaded, in order, and from any point on",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      const commits = [1, 2, 3].map((number) => commit(id, number, `w${number}`));
      for (const one of commits) yield* journal.append(one);
      assert.deepStrictEqual(yield* journal.load(id, 0), commits);
      assert.deepStrictEqual(yield* journal.load(id, 2), commits.slice(2));
      assert.deepStrictEqual(yield* journal.load(id, 3), []);
    }),
  );

  claim(
    "append rejects a taken position, and leaves what is stored as it was",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      yield* journal.append(commit(id, 1, "first"));
      const rival = yield* Effect.flip(journal.append(commit(id, 1, "rival")));
      assert.strictEqual(rival._tag, "JournalConflict");
      assert.deepStrictEqual(yield* journal.load(id, 0), [commit(id, 1, "first")]);
    }),
  );

  claim(
    "a writer that meets its own commit has succeeded, and stored it once",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      yield* journal.append(commit(id, 1, "w1"));
      yield* journal.append(commit(id, 1, "w1"));
      assert.deepStrictEqual(yield* journal.load(id, 0), [commit(id, 1, "w1")]);
    }),
  );

  claim(
    "of many writers of one position exactly one wins",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      const writers = Array.from({ length: 20 }, (_, index) => `w${index}`);
      const exits = yield* Effect.forEach(
        writers,
        (writer) => Effect.exit(journal.append(commit(id, 1, writer))),
        { concurrency: "unbounded" },
      );
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1);
      const stored = yield* journal.load(id, 0);
      assert.strictEqual(stored[0]?.writer, writers[exits.findIndex(Exit.isSuccess)]);
    }),
  );

  claim(
    "of many concurrent appends to many executions, each is answered by what is stored",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const ids = Array.from({ length: 25 }, nextId);
      // Each writer asks twice at the same time, as one does whose first answer was lost.
      const writers = ["w1", "w2", "w3", "w1", "w2", "w3"];
      const asked = ids.flatMap((id) => writers.map((writer) => commit(id, 1, writer)));
      const exits = yield* Effect.forEach(asked, (one) => Effect.exit(journal.append(one)), {
        concurrency: "unbounded",
      });
      for (const id of ids) {
        const stored = yield* journal.load(id, 0);
        const holder = stored[0]?.writer ?? "";
        assert.deepStrictEqual(stored, [commit(id, 1, holder)]);
        for (const [index, one] of asked.entries()) {
          if (one.executionId !== id) continue;
          const exit = exits[index] ?? Exit.void;
          const conflict = new JournalConflict({ executionId: id, commit: 1 });
          assert.deepStrictEqual(exit, one.writer === holder ? Exit.void : Exit.fail(conflict));
        }
      }
    }),
  );

  claim(
    "a fenced writer, one position behind, stores nothing",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      yield* journal.append(commit(id, 1, "old"));
      yield* journal.append(commit(id, 2, "new"));
      yield* Effect.flip(journal.append(commit(id, 2, "old")));
      assert.deepStrictEqual(
        (yield* journal.load(id, 0)).map(({ writer }) => writer),
        ["old", "new"],
      );
    }),
  );

  claim(
    "executions do not see each other, whatever their ids hold",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const ids = ["a", "a/1", "A", "a ", "ä", "😀", "__proto__"].map((id) => `${nextId()}-${id}`);
      for (const id of ids) yield* journal.append(commit(id, 1, id));
      for (const id of ids) {
        assert.deepStrictEqual(yield* journal.load(id, 0), [commit(id, 1, id)]);
      }
    }),
  );

  claim(
    "a commit larger than the limit is refused before the store sees it",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      const large = commit(id, 1, "w", started("x".repeat(commitBytesMax)));
      assert.strictEqual((yield* Effect.flip(journal.append(large)))._tag, "CommitTooLarge");
      assert.deepStrictEqual(yield* journal.load(id, 0), []);
    }),
  );

  claim(
    "a history of several megabytes is loaded whole",
    Effect.gen(function* () {
      const journal = yield* Journal;
      const id = nextId();
      const numbers = Array.from({ length: 24 }, (_, index) => index + 1);
      for (const number of numbers) {
        yield* journal.append(commit(id, number, "w", started("x".repeat(100_000))));
      }
      assert.deepStrictEqual(
        (yield* journal.load(id, 0)).map((one) => one.commit),
        numbers,
      );
    }),
  );

  it("any JSON survives a round trip", () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), (payload) =>
        Effect.gen(function* () {
          const journal = yield* Journal;
          const id = nextId();
          // What JSON itself does not keep apart (-0) is not the store's to keep.
          const json: unknown = JSON.parse(JSON.stringify(payload));
          const event = started("x", json);
          yield* journal.append({ executionId: id, commit: 1, writer: "w", events: [event] });
          const [stored] = yield* journal.load(id, 0);
          assert.deepStrictEqual(stored?.events[0], event);
        }).pipe(Effect.provide(layer), Effect.runPromise),
      ),
      { numRuns: 30 },
    ));
};
