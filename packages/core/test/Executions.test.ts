/**
 * Goal: people find executions by what they know of them, page by page, and see what the journal says.
 * Method: the DynamoDB index on dynalite, every filter compared with the same filter over the plain rows; a history
 * whose row is missing, behind, ahead of its index, or of an older form.
 */
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { assert, describe, it, layer } from "@effect/vitest";
import {
  type ExecutionQuery,
  type ExecutionRow,
  Executions,
  ExecutionStatus,
  pageOf,
  reindex,
  Sweeper,
} from "@millrace/core";
import { DocumentClient } from "@millrace/core/aws";
import { Effect, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { layerDynaliteExecutions } from "./dynalite.ts";
import { makeOpsWorld, makeSteps, StepFailed } from "./opsWorld.ts";

/** 120 rows: five statuses, two workflows, seven objects, three fingerprints, several per millisecond. */
const rows: ReadonlyArray<ExecutionRow> = Array.from({ length: 120 }, (_, index) => {
  const status = ExecutionStatus.literals[index % 5] ?? "running";
  return {
    executionId: (index * 2_654_435_761).toString(16).padStart(32, "0").slice(-32),
    workflow: index % 3 === 0 ? "Images" : "Csv",
    key: `raw/${index}@1`,
    status,
    commit: 1,
    steps: 0,
    runs: 1,
    startedEpochMs: 1_000 + Math.floor(index / 4),
    updatedEpochMs: 2_000,
    ...(index % 4 !== 0 && { object: `raw/in/${index % 7}.csv` }),
    ...((status === "failed" || status === "parked") && {
      errorTag: "Broken",
      errorFingerprint: `f${index % 3}`,
    }),
  };
});

const fill = Effect.gen(function* () {
  const executions = yield* Executions;
  yield* Effect.forEach(rows, (row) => executions.record(row), { concurrency: 16 });
});

/** All rows of a query, asked for in pages. */
const listAll = Effect.fnUntraced(function* (
  list: Executions["Service"]["list"],
  query: Omit<ExecutionQuery, "cursor">,
) {
  const found: Array<string> = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = yield* list({ ...query, cursor });
    assert.isAtMost(page.rows.length, query.rowsMax);
    found.push(...page.rows.map(({ executionId }) => executionId));
    cursor = page.cursor;
    pages++;
  } while (cursor !== undefined);
  return { found, pages };
});

const queries: ReadonlyArray<Omit<ExecutionQuery, "rowsMax">> = [
  {},
  { workflow: "Images" },
  { workflow: "none such" },
  { status: "failed" },
  { status: ["running", "suspended", "parked"] },
  { status: ["failed", "parked"], workflow: "Csv" },
  { status: ["completed", "failed"] },
  { status: [] },
  { errorFingerprint: "f1" },
  { errorFingerprint: "f1", status: ["failed", "completed"] },
  { object: { exact: "raw/in/3.csv" } },
  { object: { exact: "raw/in/3.csv" }, status: "completed" },
  { object: { exact: "raw/in/none.csv" } },
  { object: { exact: "" } },
  { object: { prefix: "raw/in/" }, sinceEpochMs: 1_010, untilEpochMs: 1_020 },
  { sinceEpochMs: 1_028 },
  { untilEpochMs: 1_002, status: ["running", "parked"] },
  { sinceEpochMs: 1_020, untilEpochMs: 1_010 },
];

layer(layerDynaliteExecutions)("the index in DynamoDB", (it) => {
  it.effect("lists what each filter asks for, newest first, in pages of any size", () =>
    Effect.gen(function* () {
      yield* fill;
      const executions = yield* Executions;
      for (const query of queries) {
        const wanted = yield* pageOf(rows, { ...query, rowsMax: rows.length });
        for (const rowsMax of [1, 7, 200]) {
          const { found } = yield* listAll(executions.list, { ...query, rowsMax });
          assert.deepStrictEqual(
            found,
            wanted.rows.map(({ executionId }) => executionId),
            JSON.stringify({ ...query, rowsMax }),
          );
        }
      }
    }),
  );

  it.effect("ends a listing of full pages with its last row", () =>
    Effect.gen(function* () {
      yield* fill;
      const executions = yield* Executions;
      const { found, pages } = yield* listAll(executions.list, { rowsMax: 60 });
      assert.lengthOf(found, 120);
      assert.isAtMost(pages, 3);
    }),
  );

  it.effect("refuses a cursor that it never gave", () =>
    Effect.gen(function* () {
      const executions = yield* Executions;
      for (const cursor of ["x", "", "MTIz"]) {
        const error = yield* Effect.flip(executions.list({ rowsMax: 1, cursor }));
        assert.deepInclude(error, { _tag: "InvalidCursor", cursor });
      }
    }),
  );

  it.effect("moves a row between its indexes with its status, and never back", () =>
    Effect.gen(function* () {
      const executions = yield* Executions;
      const [first] = rows;
      assert.isDefined(first);
      const row = { ...first, executionId: "ab".repeat(16), workflow: "Moving" } as const;
      const placesOf = Effect.map(
        Effect.forEach(
          [["running"], ["failed", "parked"], ["completed", "running", "failed"]] as const,
          (status) => executions.list({ status, workflow: "Moving", rowsMax: 5 }),
        ),
        (pages) => pages.map((page) => page.rows.map(({ status }) => status)),
      );
      yield* executions.record({ ...row, status: "running", commit: 1 });
      assert.deepStrictEqual(yield* placesOf, [["running"], [], ["running"]]);
      yield* executions.record({ ...row, status: "failed", commit: 3 });
      assert.deepStrictEqual(yield* placesOf, [[], ["failed"], ["failed"]]);
      yield* executions.record({ ...row, status: "running", commit: 2 });
      assert.deepStrictEqual(yield* placesOf, [[], ["failed"], ["failed"]]);
      // Made anew from the same history, it may hold more.
      yield* executions.record({ ...row, status: "failed", commit: 3, redrives: 1 });
      assert.deepInclude(yield* executions.find(row.executionId), { redrives: 1, commit: 3 });
      // A redrive is entered before its fact is stored; the failure's own row, come late, must not hide it.
      const entered = { ...row, status: "running", commit: 3, redrives: 2 } as const;
      const failure = { ...row, status: "failed", commit: 3, redrives: 1 } as const;
      yield* executions.record(entered);
      yield* executions.record(failure);
      yield* executions.record(failure, { ...entered, redrives: 3 });
      assert.deepStrictEqual(yield* placesOf, [["running"], [], ["running"]]);
      yield* executions.record(failure, entered);
      assert.deepStrictEqual(yield* placesOf, [[], ["failed"], ["failed"]]);
      yield* executions.record({ ...row, status: "completed", commit: 9 });
      assert.deepStrictEqual(yield* placesOf, [[], [], ["completed"]]);
    }),
  );

  it.effect("reads rows that were written before there were the newer fields", () =>
    Effect.gen(function* () {
      const client = yield* DocumentClient;
      const executions = yield* Executions;
      const Item = {
        executionId: "cd".repeat(16),
        workflow: "Old",
        key: "raw/a.csv@1",
        status: "failed",
        commit: 4,
        steps: 2,
        runs: 1,
        startedEpochMs: 1,
        updatedEpochMs: 2,
        result: '[{"_tag":"Die"}]',
        shard: 3,
        startedOrder: `000000000000001/${"cd".repeat(16)}`,
      };
      yield* Effect.promise(() => client.send(new PutCommand({ TableName: "Executions", Item })));
      const { rows: found } = yield* executions.list({ workflow: "Old", rowsMax: 10 });
      assert.deepInclude(found[0], { executionId: Item.executionId, status: "failed" });
      assert.deepStrictEqual(found[0]?.result, [{ _tag: "Die" }]);
    }),
  );

  it.effect("pages through rows that fill DynamoDB's answers before the page", () =>
    Effect.gen(function* () {
      const executions = yield* Executions;
      const large = Array.from({ length: 60 }, (_, index): ExecutionRow => ({
        executionId: `0000${index.toString(16).padStart(28, "0")}`,
        workflow: "Large",
        key: "k",
        status: "completed",
        commit: 1,
        steps: 0,
        runs: 1,
        startedEpochMs: 5_000 + index,
        updatedEpochMs: 6_000,
        result: "x".repeat(50_000),
      }));
      yield* Effect.forEach(large, (row) => executions.record(row), { concurrency: 4 });
      const { found } = yield* listAll(executions.list, { workflow: "Large", rowsMax: 40 });
      assert.deepStrictEqual(found, large.map(({ executionId }) => executionId).toReversed());
    }),
  );
});

const Indexed = Workflow.make("Indexed", {
  payload: { object: Schema.Struct({ bucket: Schema.String, key: Schema.String }) },
  success: Schema.String,
  error: StepFailed,
  idempotencyKey: ({ object }) => `${object.bucket}/${object.key}@1`,
});

/** An execution about an object that has ended, with its row not in the index. */
const endedWorld = Effect.fnUntraced(function* (result: string, broken: ReadonlyArray<string>) {
  const world = yield* makeOpsWorld;
  const steps = makeSteps();
  for (const name of broken) steps.broken.add(name);
  const process = yield* world.start(
    Indexed.toLayer(() => Effect.as(steps.step("step"), result)),
    "frozen",
  );
  const payload = { object: { bucket: "raw", key: "in/a.csv" } };
  yield* Effect.exit(process.run(Indexed.execute(payload)));
  return { ...world, executionId: yield* Indexed.executionId(payload) };
});

describe("a row", () => {
  it.live("that is missing is made from the journal, with the object and what failed", () =>
    Effect.gen(function* () {
      const world = yield* endedWorld("", ["step"]);
      const row = yield* world.operate(reindex(world.executionId));
      assert.deepInclude(row, {
        status: "failed",
        object: "raw/in/a.csv",
        errorTag: "StepFailed",
        errorMessage: 'step: "step"',
      });
      assert.match(row?.errorFingerprint ?? "", /^[0-9a-f]{12}$/);
      assert.deepStrictEqual(world.indexed.get(world.executionId), row);
      assert.isUndefined(yield* world.operate(reindex("00")));
    }),
  );

  it.live("leaves a large result out, and says so", () =>
    Effect.gen(function* () {
      const small = yield* endedWorld("x".repeat(50_000), []);
      assert.isString((yield* small.operate(reindex(small.executionId)))?.result);
      const large = yield* endedWorld("é".repeat(50_000), []);
      const row = yield* large.operate(reindex(large.executionId));
      assert.deepInclude(row, { status: "completed", resultOmitted: true });
      assert.notProperty(row, "result");
    }),
  );

  it.live(
    "that an index shows too late decides nothing: the sweeper looks at the journal, and repairs it",
    () =>
      Effect.gen(function* () {
        const world = yield* endedWorld("", []);
        const row = yield* world.operate(reindex(world.executionId));
        assert.isDefined(row);
        const stale: ExecutionRow = { ...row, status: "running", commit: 1 };
        world.indexed.set(world.executionId, stale);
        const swept = yield* world.operate(Sweeper.sweep({ graceMs: 0 }));
        assert.deepInclude(swept, { looked: 1, nudged: 0, repaired: 1 });
        assert.lengthOf(world.asked, 0);
        assert.deepInclude(world.indexed.get(world.executionId), { status: "completed" });
      }),
  );
});
