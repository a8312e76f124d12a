/**
 * Goal: an object that is too large for a function is transformed in a task, with the same result in the same place, and
 * whatever becomes of the task on its way.
 * Method: a whole local mode, with a threshold of 1 MB; tasks are interrupted and killed while they work.
 */
import { assert, layer } from "@effect/vitest";
import { type Commit, Executions, FargateTask, Journal } from "@millrace/core";
import { Ecs, localBuckets } from "@millrace/local";
import { Effect, Schedule, Schema } from "effect";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { queryDuckDb } from "./parquetReaders.ts";

const look = Schedule.spaced("25 millis");

const rowsOf = (count: number, from = 0) =>
  `id,name,total\n${Array.from({ length: count }, (_, at) => `${at + from},name of ${at},${at * 7}`).join("\n")}\n`;

const Transformed = Schema.Struct({
  outputs: Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  report: Schema.Struct({ rowsIn: Schema.Int, rowsOut: Schema.Int }),
});
const decodeTransformed = Schema.decodeUnknownEffect(Transformed);
const isTaskEnd = Schema.is(
  Schema.Struct({ _tag: Schema.Literal("Success"), value: FargateTask.TaskEnd }),
);

/** The history as a sentence: steps with how they came out, and the ends of tasks. */
const tell = (commits: ReadonlyArray<Commit>) =>
  commits
    .flatMap(({ events }) => events)
    .flatMap((event) => {
      if (event._tag === "ActivityCompleted" && !event.name.startsWith("announce")) {
        return [
          `${event.name} ${JSON.stringify(event.result).includes('"Failure"') ? "failed" : "succeeded"}`,
        ];
      }
      if (event._tag === "DeferredDone" && isTaskEnd(event.exit)) {
        const { exitCode, stopCode, toldBy } = event.exit.value;
        return [`task ended, told by ${toldBy}: ${exitCode} ${stopCode ?? ""}`.trim()];
      }
      return [];
    });

const world = layerLocalWorld({
  timeoutSeconds: 60,
  variables: { MILLRACE_TASK_BYTES_MIN: "1000000" },
});

/** The one task that runs, once its child execution has begun to work. */
const workingTask = Effect.gen(function* () {
  const ecs = yield* Ecs;
  const executions = yield* Executions;
  const task = yield* ecs.tasks.pipe(
    Effect.map((all) => all.find(({ lastStatus }) => lastStatus === "RUNNING")),
    Effect.repeat({ until: (found) => found !== undefined, schedule: look }),
  );
  const parent = (task?.startedBy ?? "").split("/")[0] ?? "";
  const journal = yield* Journal;
  const launched = Schema.decodeUnknownOption(
    Schema.Struct({ exit: Schema.Struct({ value: Schema.Struct({ child: Schema.String }) }) }),
  );
  const child = yield* journal.load(parent, 0).pipe(
    Effect.map((commits) =>
      commits
        .flatMap(({ events }) => events)
        .flatMap((event) => {
          if (event._tag !== "ActivityCompleted" || !event.name.includes("launch")) return [];
          const found = launched(event.result);
          return found._tag === "Some" ? [found.value.exit.value.child] : [];
        })
        .at(0),
    ),
    Effect.repeat({ until: (found) => found !== undefined, schedule: look }),
  );
  yield* journal.load(child ?? "", 0).pipe(
    Effect.map((commits) => commits.length),
    Effect.repeat({ until: (count) => count > 0, schedule: look }),
  );
  // Into the middle of its work.
  yield* Effect.sleep("300 millis");
  void executions;
  return task?.id ?? "";
});

layer(world, { timeout: "120 seconds", excludeTestServices: true })("a large object", (it) => {
  it.effect("is transformed in a task, and a small one in the function, with the same layout", () =>
    Effect.gen(function* () {
      const { process, read } = yield* LocalWorld;
      const journal = yield* Journal;
      const large = yield* process("incoming/2026/large.csv", rowsOf(60_000));
      const small = yield* process("incoming/2026/small.csv", rowsOf(600));
      const day = new Date(large.row.startedEpochMs)
        .toISOString()
        .slice(0, 10)
        .replaceAll("-", "/");
      for (const [name, { row }, rows] of [
        ["large", large, 60_000],
        ["small", small, 600],
      ] as const) {
        assert.strictEqual(row.status, "completed");
        const { outputs, report } = yield* decodeTransformed(row.result);
        assert.strictEqual(report.rowsOut, rows);
        assert.deepStrictEqual(outputs, [
          { bucket: localBuckets.clean, key: `processed/2026/${day}/${name}.parquet` },
        ]);
        const { bytes } = yield* read(localBuckets.clean, outputs[0]?.key ?? "");
        const counted = yield* queryDuckDb(bytes, "select count(*)::int as n from FILE");
        assert.deepStrictEqual(counted, [{ n: rows }]);
      }
      assert.deepStrictEqual(tell(yield* journal.load(large.row.executionId, 0)), [
        "validate succeeded",
        "transform: launch 1 succeeded",
        "task ended, told by task: 0",
        "transform succeeded",
      ]);
      assert.deepStrictEqual(tell(yield* journal.load(small.row.executionId, 0)), [
        "validate succeeded",
        "transform succeeded",
      ]);
    }),
  );

  it.effect("whose task is interrupted by Spot goes on in the next one", () =>
    Effect.gen(function* () {
      const { ended, upload } = yield* LocalWorld;
      const journal = yield* Journal;
      const ecs = yield* Ecs;
      const uploaded = yield* upload("incoming/interrupted.csv", rowsOf(400_000));
      yield* ecs.interrupt(yield* workingTask);
      const row = yield* ended(uploaded);
      assert.strictEqual(row.status, "completed");
      const { report } = yield* decodeTransformed(row.result);
      assert.strictEqual(report.rowsOut, 400_000);
      assert.deepStrictEqual(tell(yield* journal.load(row.executionId, 0)), [
        "validate succeeded",
        "transform: launch 1 succeeded",
        "task ended, told by ecs: 75 SpotInterruption",
        "transform failed",
        "transform: launch 2 succeeded",
        "task ended, told by task: 0",
        "transform succeeded",
      ]);
    }),
  );

  it.effect("whose task is killed is tried again, and the exit code is in the history", () =>
    Effect.gen(function* () {
      const { ended, upload } = yield* LocalWorld;
      const journal = yield* Journal;
      const ecs = yield* Ecs;
      const uploaded = yield* upload("incoming/killed.csv", rowsOf(400_000));
      yield* ecs.kill(yield* workingTask);
      const row = yield* ended(uploaded);
      assert.strictEqual(row.status, "completed");
      assert.includeMembers(tell(yield* journal.load(row.executionId, 0)), [
        "task ended, told by ecs: 137 EssentialContainerExited",
        "transform: launch 2 succeeded",
        "task ended, told by task: 0",
        "transform succeeded",
      ]);
    }),
  );

  it.effect("that is no CSV is refused before a task is launched", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const ecs = yield* Ecs;
      const before = (yield* ecs.tasks).length;
      const { row } = yield* process("incoming/zip.csv", Buffer.alloc(2_000_000, "PK\u0003\u0004"));
      assert.strictEqual(row.status, "failed");
      assert.strictEqual((yield* ecs.tasks).length, before);
    }),
  );
});
