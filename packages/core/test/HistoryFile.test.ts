/**
 * Goal: a history leaves one journal and arrives in another as it was, and never in place of another history.
 * Method: executions of the real engine; a second journal; files with something wrong in them.
 */
import { assert, describe, it } from "@effect/vitest";
import { type Commit, HistoryFile, Journal } from "@millrace/core";
import { Effect, Exit, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { makeOpsWorld, makeSteps, StepFailed } from "./opsWorld.ts";

const Exported = Workflow.make("Exported", {
  payload: { id: Schema.String },
  error: StepFailed,
  idempotencyKey: ({ id }) => id,
});

/** The text of a failed execution's history, and an empty world to bring it to. */
const exported = Effect.gen(function* () {
  const world = yield* makeOpsWorld;
  const { broken, step } = makeSteps();
  broken.add("two");
  const layer = Exported.toLayer(() => Effect.andThen(step("one"), step("two")));
  const process = yield* world.start(layer, "frozen");
  yield* Effect.exit(process.run(Exported.execute({ id: "a" })));
  const executionId = yield* Exported.executionId({ id: "a" });
  const record = yield* world.operate(HistoryFile.exportHistory(executionId));
  const text = HistoryFile.encodeHistory(record);
  return { executionId, text, record, source: world, target: yield* makeOpsWorld };
});

describe("a history", () => {
  it.live("arrives in another journal as it was, with its row", () =>
    Effect.gen(function* () {
      const { executionId, source, target, text } = yield* exported;
      assert.notInclude(text, "\n");
      assert.deepInclude(JSON.parse(text), { format: "millrace-history/1", workflow: "Exported" });
      const record = yield* HistoryFile.decodeHistory(text, 1);
      assert.strictEqual(yield* target.operate(HistoryFile.importHistory(record)), "imported");
      assert.deepStrictEqual(
        yield* target.journal.load(executionId, 0),
        yield* source.journal.load(executionId, 0),
      );
      assert.deepInclude(target.indexed.get(executionId), {
        status: "failed",
        key: "a",
        errorTag: "StepFailed",
      });
      assert.lengthOf(target.asked, 0);
    }),
  );

  it.live("that is there already changes nothing, even when more has happened since", () =>
    Effect.gen(function* () {
      const { executionId, record, source } = yield* exported;
      assert.strictEqual(yield* source.operate(HistoryFile.importHistory(record)), "present");
      const [first] = record.commits;
      const beginning = { ...record, commits: [first] } as const;
      assert.strictEqual(yield* source.operate(HistoryFile.importHistory(beginning)), "present");
      assert.deepStrictEqual(yield* source.journal.load(executionId, 0), record.commits);
      assert.deepInclude(source.indexed.get(executionId), { status: "failed" });
    }),
  );

  it.live("is not laid over another one", () =>
    Effect.gen(function* () {
      const { executionId, record, target } = yield* exported;
      const [first, ...rest] = record.commits;
      yield* target.journal.append({ ...first, writer: "another" });
      const refusal = yield* Effect.flip(target.operate(HistoryFile.importHistory(record)));
      assert.deepInclude(refusal, { _tag: "HistoryConflict", executionId, commit: 1 });
      assert.lengthOf(yield* target.journal.load(executionId, 0), 1);
      assert.isAbove(rest.length, 0);
    }),
  );

  it.live("whose import was broken off is completed by the next", () =>
    Effect.gen(function* () {
      const { executionId, record, target } = yield* exported;
      let left = 1;
      const dying = Journal.of({
        load: target.journal.load,
        append: (commit: Commit) =>
          left-- > 0 ? target.journal.append(commit) : Effect.die("process gone"),
      });
      const broken = HistoryFile.importHistory(record).pipe(
        Effect.provideService(Journal, dying),
        Effect.exit,
      );
      assert.isTrue(Exit.isFailure(yield* target.operate(broken)));
      assert.lengthOf(yield* target.journal.load(executionId, 0), 1);
      assert.strictEqual(yield* target.operate(HistoryFile.importHistory(record)), "imported");
      assert.deepStrictEqual(yield* target.journal.load(executionId, 0), record.commits);
    }),
  );

  it.live("that is none, or not whole, is refused with its line and the reason", () =>
    Effect.gen(function* () {
      const { record, text } = yield* exported;
      const wrong: ReadonlyArray<readonly [string, RegExp]> = [
        ["{", /line 7 holds no history/],
        [text.replace("millrace-history/1", "millrace-history/2"), /"format"/],
        [text.replace('"ExecutionStarted"', '"ExecutionBegan"'), /commits/],
        [
          JSON.stringify({ ...record, commits: record.commits.slice(1) }),
          /commit 1 is missing or out of order/,
        ],
        [JSON.stringify({ ...record, executionId: "other" }), /commit 1 is of execution/],
        [
          JSON.stringify({ ...record, workflow: "Other" }),
          /of the workflow Exported, not of Other/,
        ],
      ];
      for (const [line, reason] of wrong) {
        const error = yield* Effect.flip(HistoryFile.decodeHistory(line, 7));
        assert.strictEqual(error._tag, "HistoryUnreadable");
        assert.match(error.message, reason);
      }
    }),
  );

  it.live("of an execution that is not there cannot be exported", () =>
    Effect.gen(function* () {
      const { target } = yield* exported;
      const refusal = yield* Effect.flip(target.operate(HistoryFile.exportHistory("00")));
      assert.deepInclude(refusal, { _tag: "ExecutionUnknown", executionId: "00" });
    }),
  );
});
